package bounce

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestMessages(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"nothing":          {"", nil},
		"one message":      {"Subject: a\n\nFrom here on\n", []string{"Subject: a\n\nFrom here on\n"}},
		"one from a pipe":  {"From a@b Thu Dec 24 18:00:00 2026\nSubject: a\n\nbody\n", []string{"Subject: a\n\nbody\n"}},
		"two":              {"From a@b x\nSubject: a\n\nbody\n\nFrom c@d y\nSubject: b\n\nbody\n", []string{"Subject: a\n\nbody\n\n", "Subject: b\n\nbody\n"}},
		"lines of CR LF":   {"From a@b x\r\nA: b\r\n\r\nFrom c@d y\r\nC: d", []string{"A: b\r\n\r\n", "C: d"}},
		"no blank between": {"From a@b x\nSubject: a\n\nbody\nFrom c@d y\n", []string{"Subject: a\n\nbody\nFrom c@d y\n"}},
		"long lines":       {"From a@b x\nA: " + long + "\n\nFrom c@d y\nC: d\n", []string{"A: " + long + "\n\n", "C: d\n"}},
	} {
		var got []string
		for msg, err := range Messages(iotest.OneByteReader(strings.NewReader(test.text))) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(msg))
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %.200q", name, got)
		}
	}
}

// TestMessagesAreBounded: a message may be of any size, what is kept of it isn't.
func TestMessagesAreBounded(t *testing.T) {
	huge := "From a@b x\n" + strings.Repeat(strings.Repeat("y", 999)+"\n", 5<<10) + "\nFrom c@d y\nC: d\n"
	var sizes []int
	for msg := range Messages(strings.NewReader(huge)) {
		sizes = append(sizes, len(msg))
	}
	if len(sizes) != 2 || sizes[0] > maxSize+64<<10 || sizes[1] != len("C: d\n") {
		t.Errorf("sizes %v", sizes)
	}
}

func TestMailboxFails(t *testing.T) {
	broken := errors.New("broken")
	var errs []error
	for _, err := range Messages(iotest.ErrReader(broken)) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], broken) {
		t.Errorf("%v", errs)
	}
}

package torture

import (
	"testing"
	"time"
)

// TestTerminated stops the program in the regular way while letters are on their
// way over slow lines and a receiver hangs. It ends within the promised 10 s, what
// was under way is finished and written down, and nothing goes out twice.
func TestTerminated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, 120, "")
	w.mail.suffer(func() fault { time.Sleep(300 * time.Millisecond); return none })
	w.fronts[0].suffer(once(stall))
	p := w.start("watch")
	c := change{w: w, began: time.Now()}
	c.save()
	w.within(20*time.Second, "letters are on their way", func() bool { return w.mail.total() > 5 })
	began := time.Now()
	p.terminate()
	if took := time.Since(began); took > 11*time.Second {
		t.Errorf("it took %v to end", took)
	}
	w.mail.suffer(nil)
	w.settle()
	for j := range 120 {
		if different, all := w.mail.letters(subscriber(0, j)); different != 1 || all != 1 {
			t.Fatalf("reader %d has %d letters, %d different ones", j, all, different)
		}
	}
}

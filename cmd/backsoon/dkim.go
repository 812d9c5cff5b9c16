package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/notify/email"
)

func dkimCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "dkim",
		Short: "Print the records that DNS needs for the signatures in mails",
		Args:  takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.printRecords(cmd.OutOrStdout())
		},
	}
}

// printRecords prints a line of a zone file (RFC 1035, section 5) for each key.
func (s *site) printRecords(out io.Writer) error {
	if err := s.load(); err != nil {
		return err
	}
	if err := s.cfg.NeedSecrets(); err != nil {
		return err
	}
	if s.cfg.Email == nil || len(s.cfg.Email.DKIM) == 0 {
		return errors.New("backsoon.yaml has no dkim: below email:, so mails are not signed here; docs/mail.md says how to begin")
	}
	for _, key := range s.cfg.Email.DKIM {
		name, text, err := email.Record(key)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s. IN TXT %s\n", name, quotedStrings(text))
	}
	return nil
}

// quotedStrings cuts a text into strings of at most 255 bytes, which is all that
// one holds in DNS; whoever reads the record puts them together again.
func quotedStrings(text string) string {
	const most = 255
	var b strings.Builder
	for ; len(text) > most; text = text[most:] {
		b.WriteString(`"` + text[:most] + `" `)
	}
	return b.String() + `"` + text + `"`
}

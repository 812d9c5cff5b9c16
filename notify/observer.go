package notify

import "time"

// Observer hears of the watcher's work, to count it. It keeps nobody waiting.
type Observer interface {
	Reconciled(took time.Duration, err error)
	Built(took time.Duration, err error) // the pages
	Sent(storefront, outcome string)     // a webhook: webhook.Outcome.Word
	Expanded(letters int)                // a mail's letters written down, to be sent
	Mailed(outcome string)               // a letter or an alert: email.Verdict
}

// unobserved is the observer of a watcher that has none.
type unobserved struct{}

func (unobserved) Reconciled(time.Duration, error) {}
func (unobserved) Built(time.Duration, error)      {}
func (unobserved) Sent(string, string)             {}
func (unobserved) Expanded(int)                    {}
func (unobserved) Mailed(string)                   {}

package main

import (
	"context"
	"fmt"
	"time"
)

// script plays the story of one closure against the running demonstration and
// fails at the first step that doesn't happen.
func (d *demonstration) script(ctx context.Context) error {
	story, err := newStory(d)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	watched := make(chan error, 1)
	go func() {
		err := d.watch(ctx)
		stop(err) // without a watcher there is nothing to wait for
		watched <- err
	}()
	err = stage{out: d.out, patience: 20 * time.Second}.play(ctx, story.steps())
	stop(nil)
	if failed := <-watched; failed != nil {
		return failed
	}
	return err
}

// step is one thing that has to happen.
type step struct {
	name string
	act  func() error // done once, before; may be nil
	seen func() error // nil once it has happened; until then, what is so instead
}

// stage plays steps one after the other.
type stage struct {
	out      *lines
	patience time.Duration // for each step
}

// play does the steps. The error names the one that did not happen in time.
func (s stage) play(ctx context.Context, steps []step) error {
	begin := time.Now()
	for _, each := range steps {
		since := time.Now()
		if err := s.await(ctx, each); err != nil {
			return fmt.Errorf("this did not happen: %s: %w", each.name, err)
		}
		s.out.print(fmt.Sprintf("✓ %5.2f s  %s", time.Since(since).Seconds(), each.name))
	}
	s.out.print(fmt.Sprintf("All %d steps happened, in %.1f s.", len(steps), time.Since(begin).Seconds()))
	return nil
}

// await looks again and again until the step has happened.
func (s stage) await(ctx context.Context, each step) error {
	if each.act != nil {
		if err := each.act(); err != nil {
			return err
		}
	}
	deadline := time.NewTimer(s.patience)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := each.seen()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline.C:
			return fmt.Errorf("after %v, %w", s.patience, err)
		case <-again.C:
		}
	}
}

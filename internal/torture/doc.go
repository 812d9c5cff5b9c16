// Package torture holds the promises of docs/guarantees.md against faults, from
// outside: the real program, on a shop of its own, is killed, starved and lied
// to, and then what came of it is counted. All of it is tests. `make test` runs a
// short form of each; `make torture` the long ones (-long).
package torture

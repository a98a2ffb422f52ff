// The secrets server that the tests ask where the machine has neither bao nor vault. Nothing
// here is ours: `go build github.com/openbao/openbao` is run in this folder, and go.sum pins
// every byte of it. crates/testkit/src/bao/binary.rs is who builds it, and says its version.
module envlock.dev/tests/openbao

go 1.24.6

// Imported by upstream's own tests alone, in a version that can't be had.
replace github.com/openbao/openbao/api/auth/userpass/v2 => ./none

// OpenBao 2.4.0, and the modules of its repository that its own go.mod replaces by folders.
require (
	github.com/openbao/openbao v0.0.0-20250828202315-f9407a27fbee
	github.com/openbao/openbao/api/auth/approle/v2 v2.0.1
	github.com/openbao/openbao/api/auth/kubernetes/v2 v2.0.1
	github.com/openbao/openbao/api/v2 v2.4.0
	github.com/openbao/openbao/sdk/v2 v2.4.0
)

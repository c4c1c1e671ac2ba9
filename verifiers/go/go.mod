module shockwave/verify

go 1.24.0

require (
	filippo.io/edwards25519 v1.2.0
	github.com/transparency-dev/formats v0.1.0
	golang.org/x/mod v0.33.0
	lukechampine.com/blake3 v1.4.1
)

require github.com/klauspost/cpuid/v2 v2.0.9 // indirect

package publictools

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// witness is a verifier of cosignature/v1 as C2SP tlog-cosignature describes it, for golang.org/x/mod's note.
type witness struct {
	name   string
	id     uint32
	public ed25519.PublicKey
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.id }

func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(signature), text)
	return ed25519.Verify(w.public, []byte(message), signature[8:])
}

func witnessOf(t *testing.T, vkey string) *witness {
	parts := strings.SplitN(vkey, "+", 3)
	data, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || data[0] != 4 {
		t.Fatal(vkey, err)
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), data...))
	return &witness{parts[0], binary.BigEndian.Uint32(id[:]), data[1:]}
}

// keysOf are the vkeys of a policy: of its first log, and of its witnesses by name.
func keysOf(policy string) (log string, witnesses map[string]string) {
	witnesses = make(map[string]string)
	for line := range strings.Lines(policy) {
		switch items := strings.Fields(line); {
		case items[0] == "log" && log == "":
			log = items[1]
		case items[0] == "witness":
			witnesses[items[1]] = items[2]
		}
	}
	return log, witnesses
}

// openCosigned opens the note of a vector with the log's key and these witnesses', both our verifier and that of transparency-dev.
func openCosigned(t *testing.T, v vector, names ...string) [2]error {
	_, signed, _ := strings.Cut(v.Input, "\n\n")
	log, witnesses := keysOf(v.Policy)
	logVerifier, err := note.NewVerifier(log)
	if err != nil {
		t.Fatal(err)
	}
	var errs [2]error
	for i := range errs {
		verifiers := []note.Verifier{logVerifier}
		for _, name := range names {
			if i == 0 {
				verifiers = append(verifiers, witnessOf(t, witnesses[name]))
				continue
			}
			verifier, err := formats.NewVerifierForCosignatureV1(witnesses[name])
			if err != nil {
				t.Fatal(err)
			}
			verifiers = append(verifiers, verifier)
		}
		opened, err := note.Open([]byte(signed), note.VerifierList(verifiers...))
		if errs[i] = err; err == nil && len(opened.Sigs) != len(verifiers) {
			errs[i] = fmt.Errorf("%d signatures of %d keys", len(opened.Sigs), len(verifiers))
		}
	}
	return errs
}

func TestCosignatures(t *testing.T) {
	for name, by := range map[string][]string{
		"valid-cosigned-by-the-one":              {"w1"},
		"valid-cosigned-by-two-of-three":         {"w1", "w3"},
		"valid-cosigned-by-groups-of-groups":     {"w1", "w3", "w5"},
		"valid-cosigned-though-none-is-asked":    {"w2"},
		"valid-cosigned-by-strangers-too":        {"w3"},
		"valid-cosigned-by-more-than-the-quorum": {"w1", "w2", "w3", "w4", "w5", "w6"},
	} {
		for _, err := range openCosigned(t, vectorOf(t, name), by...) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, name := range []string{
		"cosignature-bit-flipped", "cosignature-time-changed", "cosignature-over-the-text-alone", "cosignature-over-another-origin",
		"cosignature-over-another-root", "cosignature-by-another-witness-under-the-right-key-id", "cosignature-too-short",
	} {
		for _, err := range openCosigned(t, vectorOf(t, name), "w1") {
			if _, isInvalid := err.(*note.InvalidSignatureError); !isInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

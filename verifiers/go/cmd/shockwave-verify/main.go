// Command shockwave-verify checks receipts, disclosures and consistency proofs offline: same arguments, verdicts, texts and exit codes as `shockwave verify`.
//
// Keys come from --key or --policy, never from what is verified. It opens no socket and no server's data folder.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"shockwave/verify"
)

const usage = `Usage:
  shockwave-verify receipt FILE (--key VKEY... | --policy FILE)
  shockwave-verify disclose FILE (--key VKEY... | --policy FILE)
  shockwave-verify consistency OLD PROOF (--key VKEY... | --policy FILE)
  shockwave-verify fsck FOLDER [--checkpoint OLD] (--key VKEY... | --policy FILE)

FOLDER is an export, FILE is a receipt or a disclosure, OLD a signed checkpoint kept from before, PROOF the proof from there to a newer one; ` + "`-`" + ` reads standard input.
Exit codes: 0 valid, 1 tampered, 2 malformed or unsupported (or wrong usage), 3 inconclusive.
`

// fileBytesMax is larger than any receipt or proof can be; past it a file is not read.
const fileBytesMax = 64 << 20

type arguments struct {
	command, policy, checkpoint string
	files, keys                 []string
}

func main() {
	if slices.ContainsFunc(os.Args[1:], func(arg string) bool { return arg == "--help" || arg == "-h" }) {
		fmt.Print(usage)
		return
	}
	parsed, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n\n%s", err, usage)
		os.Exit(2)
	}
	verdict, failure := parsed.run()
	if failure != nil {
		verdict = failure.Verdict()
	}
	fmt.Print(verdict.Text)
	os.Exit(int(verdict.Code))
}

// parse takes options before, between and behind the files, as `--key VALUE` or `--key=VALUE`.
func parse(args []string) (parsed arguments, err error) {
	hasPolicy, hasCheckpoint := false, false
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, value, joined := strings.Cut(arg, "=")
		switch {
		case name == "--key" || name == "--policy" || name == "--checkpoint":
			if !joined {
				if len(args) == 0 {
					return parsed, fmt.Errorf("%s is followed by a value", name)
				}
				value, args = args[0], args[1:]
			}
			switch {
			case name == "--key":
				parsed.keys = append(parsed.keys, value)
			case name == "--policy" && !hasPolicy:
				parsed.policy, hasPolicy = value, true
			case name == "--checkpoint" && !hasCheckpoint:
				parsed.checkpoint, hasCheckpoint = value, true
			default:
				return parsed, fmt.Errorf("%s is given twice", name)
			}
		case arg != "-" && strings.HasPrefix(arg, "-"):
			return parsed, fmt.Errorf("there is no option %s", arg)
		case parsed.command == "":
			parsed.command = arg
		default:
			parsed.files = append(parsed.files, arg)
		}
	}
	wanted := map[string]int{"receipt": 1, "disclose": 1, "consistency": 2, "fsck": 1}[parsed.command]
	switch {
	case wanted == 0:
		return parsed, errors.New("say what to verify: receipt, disclose, consistency or fsck")
	case len(parsed.files) != wanted:
		return parsed, fmt.Errorf("%s takes %d files", parsed.command, wanted)
	case hasCheckpoint && parsed.command != "fsck":
		return parsed, errors.New("--checkpoint is of fsck")
	case hasPolicy == (len(parsed.keys) > 0):
		return parsed, errors.New("say which keys to believe: --key or --policy")
	}
	return parsed, nil
}

func (a *arguments) run() (verify.Verdict, *verify.Failure) {
	policy, failure := a.pinned()
	if failure != nil {
		return verify.Verdict{}, failure
	}
	if a.command == "fsck" {
		var pinned []byte
		if a.checkpoint != "" {
			if pinned, failure = readText(a.checkpoint); failure != nil {
				return verify.Verdict{}, failure
			}
		}
		return verify.Export(a.files[0], pinned, policy), nil
	}
	var texts [][]byte
	for _, file := range a.files {
		text, failure := readText(file)
		if failure != nil {
			return verify.Verdict{}, failure
		}
		texts = append(texts, text)
	}
	switch a.command {
	case "receipt":
		return verify.Receipt(texts[0], policy), nil
	case "disclose":
		return verify.Disclosure(texts[0], policy), nil
	}
	return verify.Consistency(texts[0], texts[1], policy), nil
}

func (a *arguments) pinned() (*verify.Policy, *verify.Failure) {
	if len(a.keys) > 0 {
		return verify.PolicyOfKeys(a.keys...)
	}
	file, failure := read(a.policy)
	if failure != nil {
		return nil, failure
	}
	return verify.ParsePolicy(file)
}

// readText leaves off the newline that psql puts behind a value it prints: these texts end in one, an SD-JWT in none. COSE is no text.
func readText(path string) ([]byte, *verify.Failure) {
	text, failure := read(path)
	isLonger := bytes.HasSuffix(text, []byte("\n\n")) || verify.IsSDJWT(text) && bytes.HasSuffix(text, []byte("~\n"))
	if isLonger && !verify.IsCOSE(text) {
		text = text[:len(text)-1]
	}
	return text, failure
}

func read(path string) ([]byte, *verify.Failure) {
	refuse := func(why string) ([]byte, *verify.Failure) {
		return nil, &verify.Failure{Code: verify.Malformed, What: path, Why: why}
	}
	file := os.Stdin
	if path != "-" {
		opened, err := os.Open(path)
		if err != nil {
			return refuse("cannot be read: " + err.Error())
		}
		defer opened.Close()
		file = opened
	}
	data, err := io.ReadAll(io.LimitReader(file, fileBytesMax+1))
	if err != nil {
		return refuse("cannot be read: " + err.Error())
	}
	if len(data) > fileBytesMax {
		return refuse("is too long to be a receipt, a proof or a policy")
	}
	return data, nil
}

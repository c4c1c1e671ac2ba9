package main

import (
	"os"
	"path/filepath"
	"testing"

	"shockwave/verify"
)

func TestArguments(t *testing.T) {
	good := [][]string{
		{"receipt", "r", "--key", "a", "--key=b"},
		{"--policy", "p", "receipt", "-"},
		{"disclose", "d", "--key", "a"},
		{"fsck", "d", "--key", "a"}, {"fsck", "d", "--key", "a", "--checkpoint", "c"},
		{"consistency", "--policy=p", "old", "new"},
	}
	for _, args := range good {
		if _, err := parse(args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
	bad := [][]string{
		{}, {"receipt"}, {"receipt", "r"}, {"receipt", "r", "--key"}, {"receipt", "r", "--key", "k", "--policy", "p"},
		{"consistency", "old", "--key", "k"}, {"receipt", "r", "--policy", "p", "--policy", "q"}, {"repair", "d", "--key", "k"}, {"receipt", "r", "--key", "k", "--checkpoint", "c"},
		{"fsck", "d", "--key", "k", "--checkpoint", "c", "--checkpoint", "d"},
		{"receipt", "r", "--trust"},
	}
	for _, args := range bad {
		if _, err := parse(args); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func TestRun(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := []struct {
		args []string
		says string
	}{
		{[]string{"receipt", folder, "--policy", write("none", "quorum none\n")}, ""},
		{[]string{"receipt", write("empty", ""), "--policy", write("good", "quorum none\n")},
			"MALFORMED: receipt: has no empty line before its checkpoint\n"},
		{[]string{"disclose", write("empty", ""), "--policy", write("good", "quorum none\n")},
			"MALFORMED: disclosure: has no empty line before its checkpoint\n"},
		{[]string{"fsck", folder, "--policy", write("good", "quorum none\n")}, "MALFORMED: export: is not there\n"},
		{[]string{"receipt", "r", "--key", "no+key"}, "MALFORMED: verifier key: is not <name>+<key id>+<base64>\n"},
	}
	for _, c := range cases {
		parsed, err := parse(c.args)
		if err != nil {
			t.Fatal(err)
		}
		verdict, failure := parsed.run()
		if failure != nil {
			verdict = failure.Verdict()
		}
		if verdict.Code != verify.Malformed || c.says != "" && verdict.Text != c.says {
			t.Errorf("%q: %d %s", c.args, verdict.Code, verdict.Text)
		}
	}
}

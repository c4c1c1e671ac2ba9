package verify

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Code is one of four verdicts, and the exit code of a verifier.
type Code int

// The verdicts.
const (
	Valid Code = iota
	Tampered
	Malformed
	Inconclusive
)

// Verdict is what a verification ends with: a code, and the text of docs/formats/verdicts.md that says it.
type Verdict struct {
	Code Code
	Text string
}

// Failure ends a verification: What was looked at, and Why it does not hold.
type Failure struct {
	Code Code
	What string
	Why  string
}

func (f *Failure) Error() string { return f.What + ": " + f.Why }

// Verdict is the failure as the end of a verification, after these checks.
func (f *Failure) Verdict(checked ...string) Verdict {
	name := [...]string{Tampered: "TAMPERED", Malformed: "MALFORMED", Inconclusive: "INCONCLUSIVE"}[f.Code]
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s: %s\n", name, f.What, f.Why)
	writeList(&text, "checked before that", checked)
	return Verdict{f.Code, text.String()}
}

// in says where the failure is: in which of two checkpoints, in which row of a disclosure.
func (f *Failure) in(place string, args ...any) *Failure {
	f.What = fmt.Sprintf(place, args...) + ": " + f.What
	return f
}

func tampered(what, why string, args ...any) *Failure {
	return &Failure{Tampered, what, fmt.Sprintf(why, args...)}
}

func malformed(what, why string, args ...any) *Failure {
	return &Failure{Malformed, what, fmt.Sprintf(why, args...)}
}

type pair struct{ name, value string }

// report is what has been found true so far.
type report struct {
	subject    string
	facts      []pair
	row        []pair
	disclosed  []*report
	checked    []string
	notCovered []string
}

func newReport() *report { return new(report) }

func (r *report) check(passed string, args ...any) {
	r.checked = append(r.checked, fmt.Sprintf(passed, args...))
}

func (r *report) fact(name, value string, args ...any) {
	r.facts = append(r.facts, pair{name, fmt.Sprintf(value, args...)})
}

func (r *report) leaveOut(what string) { r.notCovered = append(r.notCovered, what) }

func (r *report) conclude(failure *Failure) Verdict {
	if failure != nil {
		return failure.Verdict(r.checked...)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "VALID: %s\n", r.subject)
	writePairs(&text, r.facts, ":")
	if len(r.row) > 0 {
		text.WriteString("row\n")
		writePairs(&text, r.row, " =")
	}
	for _, one := range r.disclosed {
		fmt.Fprintln(&text, one.subject)
		writePairs(&text, one.facts, ":")
		writePairs(&text, one.row, " =")
	}
	writeList(&text, "checked", r.checked)
	writeList(&text, "not covered", r.notCovered)
	return Verdict{Valid, text.String()}
}

func writePairs(text *strings.Builder, pairs []pair, mark string) {
	width := 0
	for _, p := range pairs {
		width = max(width, utf8.RuneCountInString(p.name))
	}
	for _, p := range pairs {
		padding := strings.Repeat(" ", width-utf8.RuneCountInString(p.name))
		fmt.Fprintf(text, "  %s%s%s %s\n", p.name, padding, mark, p.value)
	}
}

func writeList(text *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintln(text, title)
	for _, line := range lines {
		fmt.Fprintf(text, "  - %s\n", line)
	}
}

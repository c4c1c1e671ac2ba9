package verify

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

const microsADay = 86_400_000_000

// formatTimestamp spells µs since 1970-01-01.
func formatTimestamp(micros int64, zone string) string {
	switch micros {
	case math.MaxInt64:
		return "infinity"
	case math.MinInt64:
		return "-infinity"
	}
	days, rest := floorDivide(micros, microsADay)
	return withEra(days, " "+clock(uint64(rest))+zone)
}

// formatDate spells days since 1970-01-01.
func formatDate(days int32) string {
	switch days {
	case math.MaxInt32:
		return "infinity"
	case math.MinInt32:
		return "-infinity"
	}
	return withEra(int64(days), "")
}

func formatTime(micros int64) (string, *Failure) {
	if micros < 0 || micros > microsADay {
		return "", malformed("value", "is a time that no day has")
	}
	return clock(uint64(micros)), nil
}

// formatInterval spells `1 year 2 mons -3 days +04:05:06.789`.
func formatInterval(data []byte) string {
	months := int32(binary.LittleEndian.Uint32(data))
	days := int32(binary.LittleEndian.Uint32(data[4:]))
	micros := int64(binary.LittleEndian.Uint64(data[8:]))
	units := []struct {
		count int32
		name  string
	}{{months / 12, "year"}, {months % 12, "mon"}, {days, "day"}}
	var parts []string
	isBefore := false
	for _, unit := range units {
		if unit.count == 0 {
			continue
		}
		part := fmt.Sprintf("%d %s", unit.count, unit.name)
		if unit.count != 1 {
			part += "s"
		}
		if isBefore && unit.count > 0 {
			part = "+" + part
		}
		parts = append(parts, part)
		isBefore = unit.count < 0
	}
	if micros != 0 || len(parts) == 0 {
		sign, size := "", uint64(micros)
		if micros < 0 {
			sign, size = "-", -size
		} else if isBefore {
			sign = "+"
		}
		parts = append(parts, sign+clock(size))
	}
	return strings.Join(parts, " ")
}

// clock spells `04:05:06.789`.
func clock(micros uint64) string {
	seconds, fraction := micros/1_000_000, micros%1_000_000
	text := fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if fraction != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%06d", fraction), "0")
	}
	return text
}

func withEra(days int64, suffix string) string {
	year, month, day := civil(days)
	if year > 0 {
		return fmt.Sprintf("%04d-%02d-%02d%s", year, month, day, suffix)
	}
	return fmt.Sprintf("%04d-%02d-%02d%s BC", 1-year, month, day, suffix)
}

// civil is the proleptic Gregorian date of a day since 1970-01-01. Years are counted from 1 March, so that the leap day is the last of its
// year; an era is 400 years.
func civil(days int64) (year, month, day int64) {
	era, dayOfEra := floorDivide(days+719_468, 146_097)
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36_524 - dayOfEra/146_096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*fromMarch+2)/5 + 1
	year = era*400 + yearOfEra
	if fromMarch < 10 {
		return year, fromMarch + 3, day
	}
	return year + 1, fromMarch - 9, day
}

func floorDivide(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		return quotient - 1, rest + b
	}
	return quotient, rest
}

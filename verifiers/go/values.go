package verify

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	numericScaleMax     = 38
	numericLongScaleMax = 16_383
	// 131,072 digits before the point and 16,383 after it, and the scale.
	numericBytesMax = 61_234
)

var numericWords = []string{"-Infinity", "Infinity", "NaN"}

// elements has the oids of array types and of their elements.
var elements = map[uint32]uint32{
	199: 114, 1000: 16, 1001: 17, 1005: 21, 1007: 23, 1009: 25, 1014: 1042, 1015: 1043, 1016: 20, 1021: 700,
	1022: 701, 1115: 1114, 1182: 1082, 1183: 1083, 1185: 1184, 1187: 1186, 1231: 1700, 2951: 2950, 3807: 3802,
}

// formatValue is a value in SQL's spelling, a type without a rule as `\x…`. A value has one encoding; another one of the same value is refused.
func formatValue(oid uint32, data []byte) (string, *Failure) {
	if width, ok := widths[oid]; ok && len(data) != width {
		return "", malformed("value", "has %d bytes, its type %d", len(data), width)
	}
	switch oid {
	case 16:
		return formatBool(data)
	case 21:
		return strconv.Itoa(int(int16(binary.LittleEndian.Uint16(data)))), nil
	case 23:
		return strconv.Itoa(int(int32(binary.LittleEndian.Uint32(data)))), nil
	case 20:
		return strconv.FormatInt(int64(binary.LittleEndian.Uint64(data)), 10), nil
	case 700:
		bits := binary.LittleEndian.Uint32(data)
		value := math.Float32frombits(bits)
		isOddNaN := value != value && bits != 0x7fc00000
		return formatFloat(float64(value), 32, isOddNaN || bits == 1<<31)
	case 701:
		bits := binary.LittleEndian.Uint64(data)
		value := math.Float64frombits(bits)
		isOddNaN := value != value && bits != 0x7ff8000000000000
		return formatFloat(value, 64, isOddNaN || bits == 1<<63)
	case 1700:
		return formatNumeric(data)
	case 25, 1043, 114, 3802:
		return formatText(data)
	case 1042:
		if len(data) > 0 && data[len(data)-1] == ' ' {
			return "", malformed("value", "is a character value with blanks at its end")
		}
		return formatText(data)
	case 1082:
		return formatDate(int32(binary.LittleEndian.Uint32(data))), nil
	case 1114:
		return formatTimestamp(int64(binary.LittleEndian.Uint64(data)), ""), nil
	case 1184:
		return formatTimestamp(int64(binary.LittleEndian.Uint64(data)), "+00"), nil
	case 1083:
		return formatTime(int64(binary.LittleEndian.Uint64(data)))
	case 1186:
		return formatInterval(data), nil
	case 2950:
		digits := hex.EncodeToString(data)
		return strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-"), nil
	}
	if element, ok := elements[oid]; ok {
		return formatArray(element, data)
	}
	return `\x` + hex.EncodeToString(data), nil
}

// widths has the bytes of the types that have a fixed number of them.
var widths = map[uint32]int{
	16: 1, 21: 2, 23: 4, 20: 8, 700: 4, 701: 8, 1082: 4, 1114: 8, 1184: 8, 1083: 8, 1186: 16, 2950: 16,
}

func formatBool(data []byte) (string, *Failure) {
	if data[0] > 1 {
		return "", malformed("value", "is a bool other than 0 or 1")
	}
	return strconv.FormatBool(data[0] == 1), nil
}

func formatFloat(value float64, bits int, isOdd bool) (string, *Failure) {
	size := math.Abs(value)
	low := 1e-4
	if bits == 32 {
		low = float64(float32(low))
	}
	switch {
	case isOdd:
		return "", malformed("value", "is a float that is not canonical")
	case math.IsNaN(value):
		return "NaN", nil
	case math.IsInf(value, 0):
		return strings.TrimPrefix(fmt.Sprintf("%+v", value), "+") + "inity", nil
	case value == 0 || low <= size && size < 1e16:
		return strconv.FormatFloat(value, 'f', -1, bits), nil
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(value, 'e', -1, bits), "e")
	power, _ := strconv.Atoi(exponent) // always a number
	return fmt.Sprintf("%se%d", mantissa, power), nil
}

func formatNumeric(data []byte) (string, *Failure) {
	if len(data) == 1 && int(data[0]) < len(numericWords) {
		return numericWords[data[0]], nil
	}
	if len(data) != 17 && (len(data) < 19 || len(data) > numericBytesMax) {
		return "", malformed("value", "is a numeric of no known length")
	}
	// The long form has no byte more than the sign needs, and is used only where the short one does not do.
	width, scale, scaleMax, isCanonical := 16, int(data[len(data)-1]), numericScaleMax, true
	if len(data) > 17 {
		width = len(data) - 2
		scale, scaleMax = int(binary.LittleEndian.Uint16(data[width:])), numericLongScaleMax
		top, next := data[width-1], data[width-2]
		isRedundant := top == 0 && next < 0x80 || top == 0xff && next >= 0x80
		isCanonical = !isRedundant || width == 17 && scale > numericScaleMax
	}
	bigEndian := slices.Clone(data[:width])
	slices.Reverse(bigEndian)
	unscaled := new(big.Int).SetBytes(bigEndian)
	if data[width-1] >= 0x80 {
		unscaled.Sub(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(width)*8))
	}
	sign := ""
	if unscaled.Sign() < 0 {
		sign = "-"
	}
	digits := unscaled.Abs(unscaled).String()
	if !isCanonical || scale > scaleMax || scale > 0 && strings.HasSuffix(digits, "0") {
		return "", malformed("value", "is a numeric that is not canonical")
	}
	if scale == 0 {
		return sign + digits, nil
	}
	digits = strings.Repeat("0", max(0, scale+1-len(digits))) + digits
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:], nil
}

func formatText(data []byte) (string, *Failure) {
	if !utf8.Valid(data) {
		return "", malformed("value", "is text that is not UTF-8")
	}
	return quote(string(data)), nil
}

func formatArray(element uint32, data []byte) (string, *Failure) {
	r := &reader{what: "value", rest: data}
	var items []string
	for range r.u32() {
		item := "NULL"
		switch tag := r.u8(); {
		case r.failure != nil:
			return "", r.failure
		case tag == 0:
			bytes := r.longBytes()
			if r.failure != nil {
				return "", r.failure
			}
			var failure *Failure
			if item, failure = formatValue(element, bytes); failure != nil {
				return "", failure
			}
		case tag != 1:
			return "", malformed("value", "has an array element that is neither NULL nor a value")
		}
		items = append(items, item)
	}
	r.end()
	return "{" + strings.Join(items, ", ") + "}", r.failure
}

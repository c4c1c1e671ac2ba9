// Package verify checks Shockwave receipts and consistency proofs offline.
//
// It is written from docs/formats alone and shares no line with the server. Keys come from a Policy that the caller pins, never from what is
// verified; the verdict is Valid only if every check was made. Bytes of any kind end in a verdict, never in a panic.
package verify

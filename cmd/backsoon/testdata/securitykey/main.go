// Command securitykey is a FIDO2 security key in software, for OpenSSH to use in the
// place of a real one: a shared library by sk-api.h (PROTOCOL.u2f, "OpenSSH SK API",
// version 10). Its key handle is the private key itself, so that it keeps nothing; it
// says that it was touched whenever a touch is asked for, and that a PIN was given
// whenever that is.
package main

/*
#include <stdint.h>
#include <stdlib.h>

struct sk_enroll_response {
	uint8_t flags;
	uint8_t *public_key;
	size_t public_key_len;
	uint8_t *key_handle;
	size_t key_handle_len;
	uint8_t *signature;
	size_t signature_len;
	uint8_t *attestation_cert;
	size_t attestation_cert_len;
	uint8_t *authdata;
	size_t authdata_len;
};

struct sk_sign_response {
	uint8_t flags;
	uint32_t counter;
	uint8_t *sig_r;
	size_t sig_r_len;
	uint8_t *sig_s;
	size_t sig_s_len;
};
*/
import "C"

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"unsafe"
)

const (
	apiVersion  = 0x000a0000
	algEd25519  = 1
	unsupported = -2    // SSH_SK_ERR_UNSUPPORTED
	general     = -1    // SSH_SK_ERR_GENERAL
	asked       = 1 | 4 // user presence and user verification, as SSH_SK_USER_… and FIDO2 number them
)

//export sk_api_version
func sk_api_version() C.uint32_t { return apiVersion }

//export sk_enroll
func sk_enroll(alg C.uint32_t, challenge *C.uint8_t, challengeLength C.size_t, application *C.char, flags C.uint8_t, pin *C.char, options unsafe.Pointer, response **C.struct_sk_enroll_response) C.int {
	if alg != algEd25519 {
		return unsupported
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return general
	}
	r := (*C.struct_sk_enroll_response)(C.calloc(1, C.sizeof_struct_sk_enroll_response))
	r.flags = flags
	r.public_key, r.public_key_len = give(public)
	r.key_handle, r.key_handle_len = give(private.Seed())
	r.signature, r.signature_len = give(make([]byte, ed25519.SignatureSize)) // an attestation that nobody looks at
	*response = r
	return 0
}

//export sk_sign
func sk_sign(alg C.uint32_t, data *C.uint8_t, length C.size_t, application *C.char, handle *C.uint8_t, handleLength C.size_t, flags C.uint8_t, pin *C.char, options unsafe.Pointer, response **C.struct_sk_sign_response) C.int {
	seed := C.GoBytes(unsafe.Pointer(handle), C.int(handleLength))
	if alg != algEd25519 || len(seed) != ed25519.SeedSize {
		return unsupported
	}
	about := sha256.Sum256([]byte(C.GoString(application)))
	message := sha256.Sum256(C.GoBytes(unsafe.Pointer(data), C.int(length)))
	signed := append(append(about[:], byte(flags)&asked, 0, 0, 0, 1), message[:]...)
	r := (*C.struct_sk_sign_response)(C.calloc(1, C.sizeof_struct_sk_sign_response))
	r.flags, r.counter = flags&asked, 1
	r.sig_r, r.sig_r_len = give(ed25519.Sign(ed25519.NewKeyFromSeed(seed), signed))
	*response = r
	return 0
}

//export sk_load_resident_keys
func sk_load_resident_keys(pin *C.char, options, keys unsafe.Pointer, number *C.size_t) C.int {
	return unsupported
}

func give(b []byte) (*C.uint8_t, C.size_t) { return (*C.uint8_t)(C.CBytes(b)), C.size_t(len(b)) }

func main() {}

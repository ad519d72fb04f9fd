# SPDX-License-Identifier: Apache-2.0
"""joserfc, a library that is not ours: is a client assertion or DPoP proof what HelseID and RFC 9449 say it must be?

Reads one JSON object a line: kind ("assertion" or "proof"), token, key (public JWK; an assertion's), and what must be in it: now,
issuer, clientID, keyID, method, url, nonce, accessToken, organisation. Prints "good" or what is wrong, a line each.
"""
import base64
import hashlib
import json
import sys

from joserfc import jwk, jws, jwt

ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "PS256", "RS384", "PS384", "RS512", "PS512"]

# A proof's header holds a whole RSA key.
jws.JWSRegistry.max_header_length = 4096


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def check(case):
    header = jws.extract_compact(case["token"].encode()).headers()
    assert header["alg"] in ALGORITHMS, header
    if case["kind"] == "assertion":
        key = jwk.import_key(case["key"])
        claims = jwt.decode(case["token"], key, algorithms=ALGORITHMS).claims
        assert header["typ"] == "client-authentication+jwt", header
        assert header.get("kid") == case.get("keyID"), header
        assert set(header) <= {"alg", "typ", "kid"}, header
        assert claims["iss"] == claims["sub"] == case["clientID"], claims
        assert claims["aud"] == case["issuer"], claims
        assert claims["iat"] == claims["nbf"] == case["now"], claims
        assert case["now"] < claims["exp"] <= case["now"] + 60, claims
        assert claims["jti"], claims
        if case.get("organisation"):
            details = claims["assertion_details"]
            assert details["type"] == "helseid_authorization", details
            identifier = details["practitioner_role"]["organization"]["identifier"]
            assert identifier == {"system": "urn:oid:1.0.6523", "type": "ENH", "value": case["organisation"]}, identifier
        else:
            assert "assertion_details" not in claims, claims
        return
    assert header["typ"] == "dpop+jwt", header
    public = header["jwk"]
    assert set(header) == {"alg", "typ", "jwk"}, header
    wanted = {"EC": {"kty", "x", "y", "crv"}, "RSA": {"kty", "n", "e", "alg"}}[public["kty"]]
    assert set(public) == wanted, public
    key = jwk.import_key(public)
    if case.get("thumbprint"):
        assert key.thumbprint() == case["thumbprint"], key.thumbprint()
    claims = jwt.decode(case["token"], key, algorithms=ALGORITHMS).claims
    assert claims["htm"] == case["method"] and claims["htu"] == case["url"], claims
    assert claims["iat"] == case["now"] and claims["jti"], claims
    assert claims.get("nonce") == case.get("nonce"), claims
    ath = base64url(hashlib.sha256(case["accessToken"].encode()).digest()) if case.get("accessToken") else None
    assert claims.get("ath") == ath, claims


for line in sys.stdin if len(sys.argv) < 2 else open(sys.argv[1], encoding="utf-8"):
    try:
        check(json.loads(line))
        print("good")
    except Exception as error:  # whatever a library throws: the line says it
        print("bad:", type(error).__name__, str(error).replace("\n", " ")[:300])

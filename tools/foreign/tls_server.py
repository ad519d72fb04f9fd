#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tls_server.py CERTIFICATE KEY [--newest 1.1|1.2|1.3] [--ciphers LIST] [--client-ca FILE] [--silent] [--cut] [--says http|amqp-0-9-1] - a TLS server by Python's OpenSSL.

What it is asked to be bad at, it is: it speaks no newer version, knows no other cipher, wants a client certificate, never answers, or
hangs up at the first byte. Over TLS it says nothing and reads on, or what servers of HTTP and of AMQP 0-9-1 say to a header of AMQP 1.0. Prints "port N" once it listens; ends when its standard input does.
"""

import argparse
import socket
import ssl
import sys
import threading

VERSIONS = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(options):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(options.certificate, options.key)
    if options.newest == "1.1":
        # OpenSSL speaks it only when it is told that nothing needs to be safe.
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = ssl.TLSVersion.TLSv1
    made.maximum_version = VERSIONS[options.newest]
    if options.ciphers:
        made.set_ciphers(options.ciphers)
    if options.client_ca:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(options.client_ca)
    return made


def talk(client, made, options):
    try:
        if options.cut:
            client.recv(1)
        elif options.silent:
            while client.recv(4096):
                pass
        else:
            with made.wrap_socket(client, server_side=True) as encrypted:
                while said := encrypted.recv(4096):
                    if options.says:
                        # RFC 9112: a request line that is none. AMQP 0-9-1, 2.2.4: the header that it would have wanted, and the end.
                        encrypted.sendall(b"AMQP\0\0\x09\x01" if options.says == "amqp-0-9-1" and said[:4] == b"AMQP" else
                                          b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                        encrypted.unwrap()
                        break
    except OSError:
        pass
    finally:
        client.close()


def serve(server, made, options):
    while True:
        client, _ = server.accept()
        threading.Thread(target=talk, args=(client, made, options), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("certificate")
    parser.add_argument("key")
    parser.add_argument("--newest", default="1.3", choices=VERSIONS)
    parser.add_argument("--ciphers")
    parser.add_argument("--client-ca")
    parser.add_argument("--says", choices=("http", "amqp-0-9-1"))
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--cut", action="store_true")
    options = parser.parse_args()
    made = context(options)
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(server, made, options), daemon=True).start()
    print(f"port {server.getsockname()[1]}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

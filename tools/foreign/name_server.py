#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""name_server.py nxdomain|empty|servfail|silent - a name server on loopback that answers every question in one way.

Prints "port N" once it listens. Ends when its standard input does, so that none outlives the test that started it. Needs nothing but
Python itself.
"""

import socket
import sys
import threading

CODES = {"nxdomain": 3, "empty": 0, "servfail": 2, "silent": None}


def serve(server, code):
    while True:
        question, sender = server.recvfrom(512)
        if code is None or len(question) < 12:
            continue
        # The same id, a response that recursion is there for, one question, no answers; then the question as it came.
        server.sendto(question[:2] + bytes([0x81, 0x80 | code, 0, 1, 0, 0, 0, 0, 0, 0]) + question[12:], sender)


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(server, CODES[sys.argv[1]]), daemon=True).start()
    print(f"port {server.getsockname()[1]}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

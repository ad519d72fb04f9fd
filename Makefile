# SPDX-License-Identifier: Apache-2.0
# The two commands are 'make test' and 'make rehearse'. Variables (BROKERS, SABOTAGE, FILTER, CONFIGURATION ...) are
# handed to the scripts by environment; each script's head says what it takes.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help dependencies build test prove sanitize leaks rehearse kills power-cuts forward-kills brokers brokers-stop format format-check tools-test deb deb-test sbom practice clean

export CHUNKS MESSAGES TROUBLES QUEUES MODE TARGET WAY PROGRESS CONNECTS BROKERS SABOTAGE FILTER CONFIGURATION KILLS POWER_CUTS POWER_CUT_PREFIXES SEED MINIMUM_SENT DIRECTORY SWIFT_BUILD_FLAGS TEST_TIMEOUT TEST_WIDTH REHEARSAL_TIMEOUT

help:
	@echo "make test             install what is missing, check the format, build, run all tests beside real brokers"
	@echo "make prove            client behaviour, exchanges, the whole fault matrix on RabbitMQ 3.10, 4.0, 4.3 and ActiveMQ, brokers"
	@echo "                      stopped, killed and in alarm, 10,000 connects: 10 min"
	@echo "make sanitize         the tests that need no broker under the thread and the address sanitizer (and the leak sanitizer)"
	@echo "make leaks            10,000 connects: memory, descriptors and threads must be as before"
	@echo "make rehearse         migrate a pulje of 12 HER-IDs between two embedded buses; ledger by message id at the end"
	@echo "                      BROKERS=rabbitmq: from RabbitMQ 3.10 to RabbitMQ 4.0"
	@echo "                      SABOTAGE=drop-one, duplicate-one or leave-one: must end red"
	@echo "make practice         two buses, a register and systems at work, to practise with by hand: docs/day-one.en.md; BROKERS=rabbitmq"
	@echo "make kills            the rehearsal on RabbitMQ with 100 kills of the daemon at seeded points (KILLS=n, SEED=n, BROKERS=embedded)"
	@echo "make power-cuts       the rehearsal on RabbitMQ with 20 power cuts (POWER_CUTS=n, SEED=n, BROKERS=embedded)"
	@echo "                      SABOTAGE=swallow-syncs: must end red"
	@echo "make forward-kills    carries a million messages from RabbitMQ 3.10 to 4.0 under kills of forwarder and buses and network cuts,"
	@echo "                      in chunks that add up (CHUNKS=n, MESSAGES=n, TROUBLES=n, QUEUES=classic or quorum, MODE=strict, TARGET=RABBITMQ43, WAY=back)"
	@echo "make brokers          start RabbitMQ 3.10 and 4.0 and leave them up; eval its output; make brokers-stop"
	@echo "make deb-test         installs them in a fresh Debian 12 tree, runs the daemon there, upgrades, removes, purges (root, debootstrap)"
	@echo "make deb              the Debian packages bus-migrator and bus-pinger, in var/deb"
	@echo "make sbom             what both programs are made of (CycloneDX 1.5), in var/sbom"
	@echo "make build, make format, make format-check, make tools-test, make dependencies, make clean"

dependencies:
	@scripts/install-dependencies

build: dependencies
	swift build --build-tests --configuration $(or $(CONFIGURATION),debug) $(SWIFT_BUILD_FLAGS)

test:
	@scripts/test

prove:
	@scripts/prove

sanitize:
	@scripts/sanitize

leaks:
	@scripts/leaks

rehearse:
	@scripts/rehearse

practice: dependencies
	@scripts/practice

kills:
	@BROKERS=$(or $(BROKERS),rabbitmq) KILLS=$(or $(KILLS),100) scripts/rehearse

power-cuts:
	@BROKERS=$(or $(BROKERS),rabbitmq) POWER_CUTS=$(or $(POWER_CUTS),20) scripts/rehearse

forward-kills:
	@scripts/forward-kills

brokers:
	@scripts/brokers-by-hand start

brokers-stop:
	@scripts/brokers-by-hand stop

format:
	@scripts/swift-format-check --fix

format-check:
	@scripts/swift-format-check

tools-test:
	@scripts/with-brokers /usr/bin/python3 -m pytest -n 2 --dist loadgroup -p no:cacheprovider tools/tests

deb: dependencies
	@scripts/deb

deb-test:
	@scripts/deb-test

sbom: dependencies
	@scripts/sbom

# the downloaded broker packages in var/brokers/cache stay: they are the slow part
clean:
	swift package clean
	rm -rf var/log var/rehearsal

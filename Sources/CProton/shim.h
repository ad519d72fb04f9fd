// SPDX-License-Identifier: Apache-2.0
#ifndef TJENESTEBUSS_CPROTON_SHIM_H
#define TJENESTEBUSS_CPROTON_SHIM_H

#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/connection_driver.h>
#include <proton/delivery.h>
#include <proton/disposition.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/sasl.h>
#include <proton/session.h>
#include <proton/terminus.h>
#include <proton/transport.h>
#include <proton/version.h>

#endif

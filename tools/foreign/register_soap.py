# SPDX-License-Identifier: Apache-2.0
"""zeep, a SOAP client that is not ours, at the testing register from its own WSDL.

Arguments: base URL, user, password, port name. Prints what it read as JSON, one answer a line.
"""
import json
import sys

import requests
import zeep
from zeep.exceptions import Fault
from zeep.transports import Transport

base, user, password, port = sys.argv[1:5]
session = requests.Session()
session.auth = (user.encode(), password.encode())
client = zeep.Client(base + "/v1/AR?wsdl", transport=Transport(session=session), port_name=port)
service = client.service


def party(found):
    addresses = found.ElectronicAddresses.ElectronicAddress if found.ElectronicAddresses else []
    future = found.FutureElectronicAddresses.FutureElectronicAddress if found.FutureElectronicAddresses else []
    return {
        "herID": found.HerId,
        "name": found.Name,
        "type": found.Type,
        "of": type(found).__name__,
        "parent": found.ParentHerId,
        "active": found.Active,
        "valid": found.IsValidCommunicationParty,
        "number": getattr(found, "OrganizationNumber", None) or found.ParentOrganizationNumber,
        "addresses": [[a.TypeCodeValue, a.Address, a.Inherited, a.Type.CodeValue] for a in addresses],
        "future": [[a.TypeCodeValue, a.ValidFrom.isoformat()] for a in future],
    }


def say(value):
    print(json.dumps(value, ensure_ascii=False, sort_keys=True), flush=True)


say(service.Ping())
say(party(service.GetCommunicationPartyDetails(103)))
say(party(service.GetCommunicationPartyDetails(herId=100)))
organisation = service.GetOrganizationDetails(herId=100)
say([party(organisation)] + [party(p) for p in organisation.Services.Service]
    + [party(p) for p in organisation.People.OrganizationPerson])
search = {"Page": 1, "PageSize": 2,
          "SearchConstraints": {"KeyValuePairOfstringstring": [{"key": "Type", "value": "Service"}]}}
found = service.Search(search=search)
say({"total": found.TotalResults, "found": [party(p) for p in found.Results.CommunicationParty]})
changed = service.GetChangedCommunicationPartiesInfo(herIds={"int": [100, 103, 999]})
say([[c.HerId, c.LastUpdated.isoformat()] for c in changed])
log = service.GetChangeLog(herId=103)
say([[entry.Description, [c.Name for c in entry.Changes.EntityLogEntryData]] for entry in log])
try:
    service.GetCommunicationPartyDetails(herId=999)
    say("no fault")
except Fault as fault:
    detail = fault.detail if hasattr(fault.detail, "iter") else None
    codes = [e.text for e in detail.iter("{http://register.nhn.no/Common}ErrorCode")] if detail is not None else []
    say({"fault": codes})
say("done")

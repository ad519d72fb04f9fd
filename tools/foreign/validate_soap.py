# SPDX-License-Identifier: Apache-2.0
"""xmlschema, a validator that is not ours: the first body element of every SOAP document in a folder, against a schema.

Arguments: schema file, folder. Prints one line a document: "valid NAME" or "invalid NAME: why".
"""
import pathlib
import sys

import xmlschema
from lxml import etree

schema = xmlschema.XMLSchema(sys.argv[1])
count = 0
for path in sorted(pathlib.Path(sys.argv[2]).glob("*.xml")):
    envelope = etree.parse(str(path)).getroot()
    namespace = envelope.tag.partition("}")[0] + "}"
    body = envelope.find(namespace + "Body")
    (content,) = list(body)
    try:
        schema.validate(content)
        print("valid", content.tag.partition("}")[2])
    except xmlschema.XMLSchemaException as error:
        print("invalid", content.tag.partition("}")[2], str(error).replace("\n", " ")[:400])
    count += 1
print("done", count)

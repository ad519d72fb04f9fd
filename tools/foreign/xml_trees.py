# SPDX-License-Identifier: Apache-2.0
"""lxml, an XML reader that is not ours: what it makes of documents.

Argument: a file with one document a line, as base64. Prints one line a document: null, or [name, namespace, attributes, text,
children] as JSON; attributes are "local name=value", sorted.
"""
import base64
import json
import sys

from lxml import etree


def tree(node):
    name = etree.QName(node)
    children = [child for child in node if isinstance(child.tag, str)]
    text = (node.text or "") + "".join(child.tail or "" for child in node)
    attributes = sorted(f"{etree.QName(key).localname}={value}" for key, value in node.attrib.items())
    return [name.localname, name.namespace or "", attributes, text, [tree(child) for child in children]]


for line in open(sys.argv[1], encoding="ascii"):
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        document = etree.fromstring(base64.b64decode(line), parser)
        print(json.dumps(tree(document)))
    except (etree.XMLSyntaxError, ValueError):
        print("null")

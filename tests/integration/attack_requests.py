"""The requests of operators, byte by byte, and what became of them. Numbers of fields: proto/meshdns/v1/admin.proto."""
from attack_table import ACCEPTED, every, last
from protobuf_wire import read_fields
from raw_agent import field, fields
from raw_call import ask_once

VERSION = "meshdns.io/v1alpha1"
NODE = field(2, "eu-1/n7")  # OverrideSpec.Target
REFUSED = 4                 # ApplyResult.Outcome


def an_object(kind, number, spec, name, namespace="", more=b""):
    """An encoded Object; number: of its spec's field."""
    meta = field(1, name) + (field(2, namespace) if namespace else b"") + more
    return field(1, VERSION) + field(2, kind) + field(3, meta) + field(number, spec)


def destination(words=()):
    spec = field(1, "api.mesh.internal") + field(2, field(1, "shop") + field(2, "app-b"))
    return an_object(last(words, "kind", "VirtualDestination"), 4, spec, "api", "shop")


def cluster(words=()):
    """allowed=PREFIX, row=NODES:NAMESPACES:SERVICES, quota=ENDPOINTS:PREFIXES:ADDRESSES"""
    spec = b"".join(field(6, text) for text in every(words, "allowed"))
    for row in every(words, "row"):
        spec += field(7, b"".join(field(number, text) for number, text in enumerate(row.split(":"), 1) if text))
    for quota in every(words, "quota"):
        spec += field(8, b"".join(field(number, int(text)) for number, text in enumerate(quota.split(":"), 1)))
    return an_object("Cluster", 5, spec, last(words, "name", "eu-1"))


def override(action, words=(), target=NODE):
    spec = (field(1, target) if target else b"") + field(2, action) + field(3, last(words, "reason", "an attack"))
    spec += b"".join(field(4, text) for text in every(words, "author"))
    kind = last(words, "kind", "Override")
    return an_object(kind, 6, spec, last(words, "name", action.lower()), "shop" if kind != "Override" else "")


def apply(*objects, dry=0):
    """force: nobody asks whether a host would be left without endpoints."""
    return b"".join(field(1, each) for each in objects) + field(2, dry) + field(3, 1) + field(5, "cli")


def delete(*keys):
    return b"".join(field(1, key) for key in keys) + field(3, 1)


def new_token(words):
    """role=, names=, cluster=, level=, prefix=, length=SECONDS, uses="""
    out = field(1, last(words, "role", "node")) + field(2, last(words, "cluster")) + field(3, last(words, "names", "n1"))
    out += field(4, last(words, "level")) + b"".join(field(5, text) for text in every(words, "prefix"))
    out += field(6, field(1, int(last(words, "length", "900"))))
    return field(1, out + field(7, int(last(words, "uses", "1"))))


# verb: (call, request made of the words after the verb). The verbs are those of meshdnsctl, as far as they ask a server
VERBS = {
    "get": ("Admin/List", lambda words: field(1, last(words, "kind", "Node"))),
    "describe": ("Admin/List", lambda _: field(1, "VirtualDestination") + field(2, "shop/api")),
    "explain": ("Admin/Explain", lambda _: field(1, "api.mesh.internal") + field(2, "10.0.0.9")),
    "simulate": ("Admin/Simulate", lambda _: field(1, field(1, "api.mesh.internal"))),
    "lint": ("Admin/Lint", lambda _: b""),
    "history": ("Admin/Events", lambda _: field(4, 10)),
    "watch-events": ("Admin/Events", lambda _: field(2, 1)),
    "changes": ("Admin/Changes", lambda _: field(1, 10)),
    "status": ("Admin/Status", lambda _: b""),
    "capture": ("Admin/Capture", lambda words: field(1, last(words, "id", "a capture"))),
    "diff": ("Admin/Apply", lambda _: apply(destination(), dry=1)),
    "drain": ("Admin/Apply", lambda words: apply(override("Drain", words))),
    "undrain": ("Admin/Delete", lambda _: delete("Override/drain")),
    "force": ("Admin/Apply", lambda words: apply(override("Down", words))),
    "unforce": ("Admin/Delete", lambda _: delete("Override/down")),
    "freeze": ("Admin/Apply", lambda words: apply(override("Freeze", words, target=b""))),
    "thaw": ("Admin/Delete", lambda _: delete("Override/freeze")),
    "approve-shrink": ("Admin/ApproveShrink", lambda _: b""),
    "apply": ("Admin/Apply", lambda words: apply(destination(words))),
    "apply-cluster": ("Admin/Apply", lambda words: apply(cluster(words))),
    "apply-both": ("Admin/Apply", lambda _: apply(override("Drain"), destination())),
    "apply-empty": ("Admin/Apply", lambda _: apply(an_object("Override", 9, b"", "drain"))),
    "delete": ("Admin/Delete", lambda _: delete("VirtualDestination/shop/none")),
    "delete-both": ("Admin/Delete", lambda _: delete("Override/drain", "VirtualDestination/shop/none")),
    "forget": ("Admin/Delete", lambda _: delete("Node/eu-1/none")),
    "token-create": ("Admin/Token", new_token),
    "token-list": ("Admin/Token", lambda _: b""),
    "token-revoke": ("Admin/Token", lambda words: field(2, last(words, "id", "0123456789abcdef"))),
}


def refusals_in(reply):
    """The errors of the objects that an ApplyReply refuses."""
    results = [fields(value) for number, _, value in read_fields(reply) if number == 1]
    return [f"refused: {each.get(3, b'').decode()}" for each in results if each.get(2) == REFUSED]


def ask(server, verb, words, **options):
    """What an operator gets: whether it is accepted, and if not why."""
    call, request = VERBS[verb]
    reply = ask_once(server, call, request(words), **options)
    refused = refusals_in(reply) if call == "Admin/Apply" else []
    return "; ".join(refused) if refused else ACCEPTED


def author_of(server, name, **options):
    """The author that an override has."""
    reply = ask_once(server, "Admin/List", field(1, "Override") + field(2, name), **options)
    return fields(fields(fields(reply)[1])[6]).get(4, b"").decode()

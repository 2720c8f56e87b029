"""A static zone made from a seed, and everything worth asking about it."""
import random

ZONE = "mesh.internal."
DEEPEST = 3
OUTSIDE = ("example.com.", "internal.", "xmesh.internal.", ".", "mesh.internal.example.com.")
KINDS = ("A", "AAAA", "NS", "CNAME", "SOA", "MX", "TXT", "SRV", "CAA", "PTR", "DS", "DNSKEY", "NSEC", "HTTPS", "URI",
         "TYPE65400", "TYPE65535", "ANY")
ALIASES = 6  # in the longest chain


class StaticZone:
    """`lines` are its records but SOA and NS, absolute; `names` are the owners."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines, self.names, self.loops = [], {ZONE}, set()
        for _ in range(24):
            self.add_data(self.fresh())
        for _ in range(4):
            self.add_wildcard()
        for _ in range(5):
            self.add_chain()
        self.add_large()
        self.add_loop()

    def label(self):
        letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        form = self.random.choice(("{}", "{}", "{}-1", "_{}", "x{}y"))
        return form.format("".join(self.random.choices(letters, k=self.random.choice((1, 2, 4, 8, 30)))))

    def fresh(self):
        """A name that does not exist, below others that may not either: empty non-terminals."""
        while True:
            labels = [self.label() for _ in range(self.random.randint(1, DEEPEST))]
            name = ".".join(labels) + "." + ZONE
            if name not in self.names:
                return name

    def put(self, name, ttl, kind, rdata):
        self.lines.append(f"{name} {ttl} {kind} {rdata}")
        self.names.add(name)

    def rdata(self, kind):
        pick = self.random
        target = pick.choice(sorted(self.names))
        return {
            "A": lambda: f"10.{pick.randrange(256)}.{pick.randrange(256)}.{pick.randrange(1, 255)}",
            "AAAA": lambda: f"fd00::{pick.randrange(1, 65536):x}:{pick.randrange(1, 65536):x}",
            "MX": lambda: f"{pick.randrange(100)} {target}",
            "TXT": lambda: f'"{self.label()}" "{self.label()}"',
            "SRV": lambda: f"{pick.randrange(9)} {pick.randrange(100)} {pick.randrange(1, 65536)} {target}",
            "CAA": lambda: f'0 issue "ca{pick.randrange(100)}.example"',
            "PTR": lambda: target,
            "TYPE65400": lambda: f"\\# 4 {pick.randrange(1 << 32):08x}",
        }[kind]()

    def add_data(self, name):
        kinds = ("A", "AAAA", "MX", "TXT", "SRV", "CAA", "PTR", "TYPE65400")
        for kind in self.random.sample(kinds, self.random.choice((1, 1, 2, 4))):
            ttl = self.random.choice((0, 1, 5, 60, 3600))
            for rdata in {self.rdata(kind) for _ in range(self.random.choice((1, 1, 2, 5)))}:
                self.put(name, ttl, kind, rdata)

    def add_wildcard(self):
        """Each with another kind of company: data, an alias, a name that hides it, nothing but a name below it."""
        base = self.fresh()
        form = len([name for name in self.names if name.startswith("*.")]) % 4
        if form == 1:
            self.put("*." + base, 60, "CNAME", self.random.choice(sorted(self.names)))
        elif form == 3:
            self.put("below.*." + base, 60, "TXT", "x")
        else:
            self.add_data("*." + base)
        if form == 2:
            self.put("shown." + base, 60, "A", "10.0.0.1")
            self.put("further.down." + base, 60, "A", "10.0.0.2")

    def add_chain(self):
        """Aliases that end at data, a missing name, an empty non-terminal, below a wildcard, or outside."""
        wild = self.random.choice([name for name in sorted(self.names) if name.startswith("*.")])
        inner = [name.split(".", 1)[1] for name in sorted(self.names) if name.split(".", 1)[1] not in self.names]
        data = self.random.choice(sorted(self.names))
        ends = (data, self.fresh(), self.random.choice(inner), "x" + wild[1:], "example.org.")
        for end in ends:
            for _ in range(self.random.randint(1, ALIASES)):
                alias = self.fresh()
                self.put(alias, 60, "CNAME", end)
                end = alias

    def add_large(self):
        """Sets around the sizes at which an answer does not fit any more."""
        for size in (300, 470, 520, 1150, 1250, 5000):
            name = self.fresh()
            for number in range(1 + size // 200):
                self.put(name, 60, "TXT", f'"{number:02}{"x" * (size // (1 + size // 200) - 20)}"')
        name = self.fresh()
        for number in range(60):
            self.put(name, 60, "A", f"10.200.0.{number + 1}")

    def add_loop(self):
        first, second = self.fresh(), self.fresh()
        self.put(first, 60, "CNAME", second)
        self.put(second, 60, "CNAME", first)
        self.loops = {first, second}

    def mixed_case(self, name):
        return "".join(self.random.choice((char.lower(), char.upper())) for char in name)

    def questions(self):
        """Names that exist, are above, beside and below such, in other cases, and outside; sorted."""
        above = {ZONE}
        for name in self.names:
            labels = name[:-len(ZONE)].split(".")[:-1]
            above |= {".".join([*labels[at:], ZONE]) for at in range(len(labels))}
        known = self.names | above
        asked = set(known)
        for name in sorted(known):
            asked |= {"missing." + name, "a.b." + name}
        asked |= {self.mixed_case(name) for name in sorted(known)}
        return sorted(asked) + list(OUTSIDE)

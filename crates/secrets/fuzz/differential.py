#!/usr/bin/env python3
"""Random policies and requests: the evaluator of this crate against the reference evaluator.

  cargo build --release
  python3 crates/secrets/fuzz/differential.py ORACLE_DIR target/release/envlock [CASES] [SEED]

ORACLE_DIR holds oracle.py. Every case is judged by it in three dialects; the cases and its
answers become policy unit tests, which `envlock policy test` runs. Ends with 1 on any difference.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

SEGMENTS = ["a", "b", "ab", "data", "metadata", "x1", "", "+b", "b+", "*b", "..", "c*d"]
CAPS = ["create", "read", "update", "delete", "list", "sudo", "patch", "deny"]
OPS = ["read", "list", "create", "update", "delete", "patch", "renew", "revoke", "rollback", "scan",
       "recover", "help", "header", "read", "list", "update"]
TEMPLATES = ["identity.entity.name", "identity.entity.id", "identity.entity.metadata.team",
             "identity.entity.metadata.bad", "identity.entity.metadata.star",
             "identity.entity.metadata.none", "identity.entity.aliases.acc.name",
             "identity.entity.aliases.acc.metadata.ref", "identity.entity.aliases.acc.custom_metadata.env",
             "identity.groups.names.eng.id", "identity.groups.ids.g1.name",
             "identity.groups.names.eng.metadata.cost", "identity.groups.names.other.name", "nonsense"]
IDENTITY = {
    "Entity": {"ID": "a", "Name": "b", "Metadata": {"team": "ab", "bad": "a/b", "star": "a*", "plus": "+"},
               "Aliases": [{"MountAccessor": "acc", "ID": "x1", "Name": "data",
                            "Metadata": {"ref": "a"}, "CustomMetadata": {"env": "b"}}]},
    "Groups": [{"ID": "g1", "Name": "eng", "NamespaceID": "root", "Metadata": {"cost": "x1"}},
               {"ID": "g2", "Name": "other", "NamespaceID": "team/", "Metadata": {}}]}


class Gen:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def chance(self, p):
        return self.r.random() < p

    def path(self):
        segments = [self.r.choice(SEGMENTS[:6]) for _ in range(self.r.randint(1, 4))]
        text = "/".join(segments)
        if self.chance(0.3):
            text += "/"
        if self.chance(0.03):
            text = "/" + text
        return text

    def pattern(self):
        r = self.r
        segments = [r.choice(SEGMENTS[:6]) for _ in range(r.randint(1, 4))]
        for i in range(len(segments)):
            if self.chance(0.25):
                segments[i] = "+"
            elif self.chance(0.04):
                segments[i] = r.choice(SEGMENTS)
            elif self.chance(0.05):
                segments[i] = "{{%s%s%s}}" % (r.choice(["", " "]), r.choice(TEMPLATES), r.choice(["", " "]))
        text = "/".join(segments)
        if self.chance(0.35):
            text += "/*" if text.endswith("+") or self.chance(0.5) else "*"
        elif self.chance(0.15):
            text += "/"
        if self.chance(0.05):
            text = "/" + text
        if self.chance(0.01):
            text += r.choice(["}}", "{{", "+*", "**"])
        if self.chance(0.02):
            text = r.choice(["*", "+", "+/*", "", "/"])
        return text

    def value(self):
        return self.r.choice(["1", "ci", "CI", "bot-*", "*x", "**", "*", "*b*", 1, 2, "a,b", "root"])

    def params(self):
        names = self.r.sample(["x", "Y", "user", "*", "policies", "limit"], self.r.randint(0, 3))
        return {n: [self.value() for _ in range(self.r.choice([0, 0, 1, 1, 2, 3]))] for n in names}

    def block(self):
        """Attributes as (key, value) pairs, so that a key may come twice."""
        r, attrs = self.r, []
        caps = r.sample(CAPS[:7], r.randint(0, 4))
        if self.chance(0.12):
            caps.insert(r.randint(0, len(caps)), "deny")
        if self.chance(0.03):
            caps.insert(r.randint(0, len(caps)), r.choice(["Read", "write", "root", "scan", "subscribe", "recover", ""]))
        if not self.chance(0.05):
            attrs.append(("capabilities", caps))
        if self.chance(0.06):
            attrs.append(("policy", r.choice(["read", "write", "sudo", "deny", "", "admin"])))
        if self.chance(0.03):
            attrs.append(("capabilities", r.sample(CAPS, 2)))
        for key in ("allowed_parameters", "denied_parameters"):
            if self.chance(0.12):
                attrs.append((key, self.params()))
            if self.chance(0.01):
                attrs.append((key, self.params()))
        if self.chance(0.07):
            attrs.append(("required_parameters", r.sample(["x", "Y", "limit", "user"], r.randint(0, 2))))
        for key in ("min_wrapping_ttl", "max_wrapping_ttl"):
            if self.chance(0.06):
                attrs.append((key, r.choice([60, "60", "1m", "90s", 300, "5m", 0, ""] if key[1] == "i" else ["1h", "1h30m", "1d", 3600, "5m", 0, "x"])))
        if self.chance(0.015):
            attrs.append(("expiration", r.choice(["2001-02-03T04:05:06Z", "2999-01-01T00:00:00Z",
                                                  "2001-02-03T04:05:06+02:00", "nonsense", ""])))
        if self.chance(0.015):
            attrs.append(("pagination_limit", r.choice([10, 50, 0, -1])))
        if self.chance(0.01):
            attrs.append(("list_scan_response_keys_filter_path", "x"))
        if self.chance(0.02):
            attrs.append(("mfa_methods", ["m"]))
        if self.chance(0.02):
            attrs.append(("comment", "why # not \" // this"))
        if self.chance(0.005):
            attrs.append(("subscribe_event_types", ["kv*"]))
        if self.chance(0.005):
            attrs.append((r.choice(["capability", "Capabilities", "paths"]), ["read"]))
        r.shuffle(attrs)
        return attrs

    def hcl_value(self, v):
        r = self.r
        if isinstance(v, dict):
            sep = r.choice(["\n", ", "])
            return "{" + r.choice(["\n", " "]) + sep.join(
                "%s = %s" % (self.quote(k) if k == "*" or self.chance(0.7) else k, self.hcl_value(x))
                for k, x in v.items()) + " }"
        if isinstance(v, list):
            inner = r.choice([", ", ",", ",\n "]).join(self.hcl_value(x) for x in v)
            return "[" + inner + ("," if v and self.chance(0.1) else "") + "]"
        if isinstance(v, str):
            return self.quote(v)
        return str(v)

    def quote(self, s):
        out = s.replace("\\", "\\\\").replace('"', '\\"')
        if s and self.chance(0.02):
            out = "\\u%04x" % ord(s[0]) + s[1:].replace('"', '\\"')
        return '"%s"' % out

    def hcl(self, blocks):
        r, out = self.r, []
        nl = "\r\n" if self.chance(0.05) else "\n"
        if self.chance(0.05):
            out.append(r.choice(["# a comment", "// a comment { ", "/* a\n * comment */", 'name = "n"']))
        for pattern, attrs in blocks:
            label = self.quote(pattern)
            if self.chance(0.02) and pattern.isalpha():
                label = pattern
            if self.chance(0.005):
                label += ' "second"'
            lines = []
            for k, v in attrs:
                if isinstance(v, dict) and self.chance(0.3):
                    lines.append("  %s %s" % (k, self.hcl_value(v)))
                else:
                    lines.append("  %s = %s%s" % (k, self.hcl_value(v), r.choice(["", "", "", " # c", ","])))
            joined = nl.join(lines)
            out.append("path %s {%s%s%s}" % (label, nl, joined, nl))
        text = nl.join(out) + nl
        if self.chance(0.02):                       # a slip of the pen
            at = r.randrange(len(text) + 1)
            text = text[:at] + r.choice(['"', "{", "}", "[", "]", ",", "=", "#", "x", ""]) + text[at + r.randint(0, 1):]
        return text

    def json(self, blocks):
        def attrs_json(attrs):
            return "{" + ", ".join("%s: %s" % (json.dumps(k), json.dumps(v)) for k, v in attrs) + "}"
        pairs = ["%s: %s" % (json.dumps(p), attrs_json(a)) for p, a in blocks]
        if self.chance(0.2):
            inner = "[" + ", ".join("{%s}" % p for p in pairs) + "]"
        else:
            inner = "{" + ", ".join(pairs) + "}"
        return r'{"path": %s}' % inner

    def policy(self, name):
        blocks = [(self.pattern(), self.block()) for _ in range(self.r.choice([0, 1, 1, 2, 2, 3, 5, 8]))]
        p = {"name": name, "text": self.json(blocks) if self.chance(0.15) else self.hcl(blocks)}
        if self.chance(0.06):
            p["namespace"] = self.r.choice(["team", "a", "/team/", ""])
        if self.chance(0.05):
            p["allow_slashes_in_identity_templates"] = True
        if self.chance(0.05):
            p["allow_wildcards_in_identity_templates"] = True
        return p

    def case(self, number):
        r = self.r
        policies = [self.policy("p%d" % i) for i in range(r.choice([1, 1, 1, 2, 2, 3, 4]))]
        if self.chance(0.01):
            policies.insert(0, {"name": "root", "text": ""})
            if self.chance(0.5):
                policies = policies[:1]
        request = {"operation": r.choice(OPS), "path": self.path()}
        if self.chance(0.4):
            request["path"] = self.near(policies)
        if self.chance(0.35):
            names = r.sample(["x", "y", "USER", "user", "policies", "limit", "X"], r.randint(0, 3))
            request["data"] = {n: r.choice(["1", "ci", "CI", "bot-7", "ROOT", "a,b", "1, ci", 1, ["1", "ci"],
                                            ["ci"], None, True, "max", "20", 5, 0, ""]) for n in names}
        if self.chance(0.1):
            request["namespace"] = r.choice(["team", "a", "team/", "/"])
        if self.chance(0.15):
            request["wrap_ttl"] = r.choice([60, 59, 300, 301, 3600, 90, 86400])
        case = {"id": "F-%d" % number, "policies": policies, "request": request, "check": ["limit"]}
        if self.chance(0.7):
            case["identity"] = IDENTITY if self.chance(0.9) else {"Entity": None, "Groups": IDENTITY["Groups"]}
        if self.chance(0.05):
            case["token_namespace"] = r.choice(["team", "a"])
        return case

    def near(self, policies):
        """A path made from one of the patterns, so that rules do match."""
        text = self.r.choice(policies)["text"]
        quoted = [part for part in text.split('"')[1::2] if "/" in part] or ["a/b"]
        path = self.r.choice(quoted)
        while "{{" in path and "}}" in path:
            a, b = path.index("{{"), path.index("}}")
            if b < a:
                break
            path = path[:a] + self.r.choice(["a", "b", "ab", "data", "x1", "a/b"]) + path[b + 2:]
        path = path.replace("+", self.r.choice(["a", "b", "+"])).replace("*", self.r.choice(["", "a", "b/a", "ab/"]))
        return path + self.r.choice(["", "", "/"])


def main():
    oracle_dir, program = sys.argv[1], sys.argv[2]
    total = int(sys.argv[3]) if len(sys.argv) > 3 else 100_000
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    sys.path.insert(0, oracle_dir)
    import oracle

    gen, done, policies, skipped, allowed, refused = Gen(seed), 0, 0, 0, 0, 0
    while done < total:
        cases = []
        while len(cases) < 1000:
            case = gen.case(done + len(cases))
            expect = {}
            try:
                for dialect in ("openbao", "vault", "vault-legacy"):
                    got = oracle.evaluate(case, dialect)
                    got.pop("error", None)
                    if got["parse"] == "error":
                        got = {"parse": "error"}
                        refused += 1
                    else:
                        allowed += got["allowed"]
                    expect[dialect] = got
            except Exception:                       # the reference has no answer
                skipped += 1
                continue
            case["expect"] = expect
            policies += len(case["policies"])
            cases.append(case)
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as f:
            json.dump({"cases": cases}, f, ensure_ascii=False)
        result = subprocess.run([program, "policy", "test", f.name], capture_output=True, text=True)
        if result.returncode:
            print(result.stdout[-6000:], result.stderr[-2000:], "cases kept in", f.name)
            sys.exit(1)
        os.unlink(f.name)
        done += len(cases)
    print("%d cases, %d policies, 3 dialects: no difference (%d allowed, %d refused policies, %d without an answer)"
          % (done, policies, allowed, refused, skipped))


if __name__ == "__main__":
    main()

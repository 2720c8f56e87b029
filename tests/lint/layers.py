"""Who may include whom: the layer table as data. Read by includes.py; docs/design.md section 6 explains it."""

COMMON = {f"common/{name}" for name in
          "base time net published model identity authority convert config log metrics http resolve rpc process membership kubernetes".split()}
DNSD = {f"dnsd/{name}" for name in
        ("wire topology answers query server dnstap catalog publish external store federation kubernetes snapshot_file "
         "persistence lease resources explain admin enrolment app ctl").split()}
AGENT = {f"agent/{name}" for name in "discovery health probes report mapping admin app".split()}
FOLDERS = COMMON | DNSD | AGENT

# Plain types; everything above common/base may use them.
EVERYWHERE = {"common/base", "common/model", "common/net", "common/time"}

# Headers of common/time that own a real or a simulated clock, and who may see them besides common/time.
CLOCK_HEADERS = {
    "common/time/system_clock.h": {"dnsd/app", "dnsd/ctl", "agent/app"},
    "common/time/sim_clock.h": set(),
}

# Generated code: messages of the config, messages of the wire, services (which pull in gRPC).
CONFIG_PROTOS = "proto/config"
WIRE_PROTOS = "proto/messages"
SERVICE_PROTOS = "proto/services"
PROTOS = {CONFIG_PROTOS, WIRE_PROTOS, SERVICE_PROTOS}
MESSAGES = {CONFIG_PROTOS, WIRE_PROTOS}

# folder -> what it may include besides EVERYWHERE and itself.
MAY_INCLUDE = {
    "common/base": set(),
    "common/time": set(),
    "common/net": set(),
    "common/published": set(),
    "common/log": set(),
    "common/metrics": set(),
    "common/model": set(),
    "common/identity": set(),
    "common/authority": {"common/identity"},
    "common/config": {"common/identity", "common/log"} | MESSAGES,
    "common/http": {"common/log", "common/metrics", "common/process"},
    "common/resolve": {"common/process"},
    "common/rpc": {"common/authority", "common/identity", "common/log", "common/metrics"},
    "common/process": {"common/log", "common/metrics"},
    "common/membership": {"common/authority", "common/identity", "common/rpc", "common/log", "common/process", WIRE_PROTOS,
                    SERVICE_PROTOS},
    "common/kubernetes": {"common/log", "common/process", "common/resolve"},
    "common/convert": MESSAGES,
    "dnsd/wire": set(),
    "dnsd/topology": set(),
    "dnsd/answers": {"dnsd/topology", "dnsd/wire"},
    "dnsd/query": {"dnsd/answers", "dnsd/wire"},
    "dnsd/server": {"dnsd/query", "dnsd/answers", "dnsd/wire", "common/published", "common/log"},
    "dnsd/dnstap": {"dnsd/server", "common/log", WIRE_PROTOS},
    "dnsd/catalog": set(),
    "dnsd/store": set(),
    "dnsd/publish": {"dnsd/topology", "dnsd/answers", "dnsd/catalog", "common/published", "common/log"},
    "dnsd/external": {"dnsd/topology", "dnsd/catalog", "common/resolve", "common/log"},
    "dnsd/snapshot_file": {"dnsd/answers", "dnsd/publish", "dnsd/federation", "common/log", WIRE_PROTOS},
    "dnsd/persistence": {"dnsd/topology", "dnsd/catalog", "dnsd/store", "dnsd/snapshot_file", "dnsd/federation",
                         "common/convert", "common/log", WIRE_PROTOS},
    "dnsd/lease": {"common/kubernetes", "common/log", "common/process"},
    "dnsd/resources": {"common/config", "common/kubernetes", WIRE_PROTOS},
    "dnsd/explain": {"dnsd/topology", "dnsd/answers", "dnsd/query", "dnsd/catalog", "common/convert"} | MESSAGES,
    "dnsd/kubernetes": {"common/kubernetes"},
    "dnsd/federation": {"dnsd/catalog", "common/convert", "common/identity", "common/rpc", "common/log", "common/process",
                        WIRE_PROTOS, SERVICE_PROTOS},
    "dnsd/admin": {"common/http", "common/identity", "common/rpc", "common/convert", "common/log", "common/process",
                   WIRE_PROTOS, SERVICE_PROTOS},
    "dnsd/enrolment": {"common/authority", "common/identity", "common/convert", "common/kubernetes", "common/log", WIRE_PROTOS},
    "agent/admin": {"common/http", "common/convert", WIRE_PROTOS},
    "dnsd/ctl": {"common/authority", "common/identity", "common/membership", "common/rpc", "common/convert", "common/config",
                 "dnsd/explain"} | PROTOS,
    "dnsd/app": DNSD | COMMON | PROTOS,
    "agent/health": set(),
    "agent/discovery": {"common/config", "common/kubernetes", "common/log", "agent/health", "agent/probes", CONFIG_PROTOS},
    "agent/probes": {"agent/health", "common/http", "common/process", "common/resolve"},
    "agent/report": {"common/log"},
    "agent/mapping": {"common/log"},
    "agent/app": AGENT | COMMON | PROTOS,
}

# One source that may include more than its folder; its header too, where the folder's users need it.
FILES_MAY_INCLUDE = {
    "agent/report/grpc_reporter.cc": {"common/convert", "common/rpc", "common/process", SERVICE_PROTOS},
    "agent/report/grpc_reporter.h": {"common/process"},
    "agent/probes/grpc_link.h": {SERVICE_PROTOS},
    "agent/probes/grpc_probe.cc": {"common/rpc"},
    "agent/report/settings_reader.cc": {"common/convert", WIRE_PROTOS},
    "agent/report/settings_reader.h": {WIRE_PROTOS},
    "dnsd/kubernetes/apply_changes.cc": {"dnsd/federation"},
    "dnsd/persistence/persistence.cc": {"common/process"},
}

GRPC = {"common/rpc", "common/membership", "dnsd/federation", "dnsd/admin", "dnsd/ctl", "agent/report/grpc_reporter.cc",
        "agent/probes/grpc_channels.cc", "agent/probes/grpc_link.h", "agent/probes/grpc_probe.cc"}

# Third-party library -> the start of its headers, and the folders or files that may include them.
ASIO = {"common/http", "common/kubernetes", "common/process", "common/resolve", "agent/probes"}
THIRD_PARTY = {
    "fmt": ("fmt/", FOLDERS),
    "expected": ("tl/", {"common/base", "common/config"}),
    "boost-json": ("boost/json", {"common/kubernetes", "dnsd/kubernetes", "agent/discovery", "dnsd/lease", "dnsd/resources"}),
    "boost": ("boost/", ASIO),
    "grpc": (("grpcpp/", "grpc/"), GRPC),
    "abseil": ("absl/", {"common/rpc"}),
    "protobuf": ("google/", {"common/config", "common/convert", "dnsd/app", "dnsd/ctl", "agent/app",
                             "dnsd/persistence/objects.cc", "dnsd/snapshot_file/kept_records.cc"}),
    "yaml-cpp": ("yaml-cpp/", {"common/config"}),
    "spdlog": ("spdlog/", {"common/log"}),
    "prometheus": ("prometheus/", {"common/metrics"}),
    "c-ares": ("ares", {"common/resolve"}),
    "re2": ("re2/", {"common/base/pattern.cc"}),
    "sqlite": ("sqlite3", {"dnsd/store"}),
    "ldns": ("ldns/", {"dnsd/answers/zone_parser.cc"}),
    "fstrm": ("fstrm", {"dnsd/dnstap/stream.cc"}),
    "nftables": ("nftables/", {"agent/mapping/nftables.cc"}),
    "xxhash": ("xxhash.h", {"common/base", "dnsd/snapshot_file"}),
    "openssl": ("openssl/", {"common/rpc", "common/authority", "common/kubernetes/tls.cc",
                            "agent/probes/tls_client.cc", "agent/probes/connection.cc"}),
    "sd-bus": ("systemd/", {"agent/probes/unit_states.cc"}),
    "CLI11": ("CLI/", {"dnsd/ctl", "dnsd/app/main.cc", "agent/app/commands.cc", "agent/app/main.cc"}),
}

# Private to sources: a header that includes one of these hands it to everybody.
PRIVATE_TO_SOURCES = {"openssl", "re2", "sqlite", "yaml-cpp", "ldns", "fstrm", "nftables", "spdlog", "prometheus", "c-ares", "sd-bus", "CLI11"}

# The C library's and the kernel's headers; those of C++ have no dot.
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "linux/", "net/", "asm/")
SYSTEM_HEADERS = set("""dirent.h errno.h fcntl.h grp.h ifaddrs.h malloc.h netdb.h poll.h pthread.h pwd.h sched.h signal.h spawn.h
syslog.h termios.h time.h unistd.h""".split())

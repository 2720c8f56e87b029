#include "dnsd/answers/table_bytes.h"

#include <concepts>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "dnsd/answers/bytes.h"
#include "dnsd/answers/host_bytes.h"
#include "dnsd/topology/view.h"

// carry() is in the namespace of each type, where argument-dependent lookup finds it. Structured bindings name every
// member, so that a new member does not compile until it is carried.

namespace meshdns {

template <class T, class Of>
concept Carried = std::same_as<std::remove_const_t<T>, Of>;

namespace model {

void carry(auto& io, Carried<Locality> auto& value) {
  auto& [network, region, zone, subzone, cluster, node] = value;
  io(network, region, zone, subzone, cluster, node);
}
void carry(auto& io, Carried<Rung> auto& value) {
  auto& [parts, name] = value;
  io(parts, name);
}
void carry(auto& io, Carried<Fence> auto& value) {
  auto& [within, regions, zones, clusters] = value;
  io(within, regions, zones, clusters);
}
void carry(auto& io, Carried<Failover> auto& value) {
  auto& [from, to] = value;
  io(from, to);
}
void carry(auto& io, Carried<Distribute::Share> auto& value) {
  auto& [to, percent] = value;
  io(to, percent);
}
void carry(auto& io, Carried<Distribute> auto& value) {
  auto& [from, to] = value;
  io(from, to);
}
void carry(auto& io, Carried<Spill> auto& value) {
  auto& [overprovisioning, panic_below] = value;
  io(overprovisioning, panic_below);
}
void carry(auto& io, Carried<Policy> auto& value) {
  auto& [ladder, fence, failover, groups, distribute, spill, families, on_empty, ttl, ttl_min, slow_start,
         max_answers] = value;
  io(ladder, fence, failover, groups, distribute, spill, families, on_empty, ttl, ttl_min, slow_start, max_answers);
}
void carry(auto& io, Carried<ObjectMeta> auto& value) {
  auto& [name, namespace_, created, origin, manager] = value;
  io(name, namespace_, created, origin, manager);
}
void carry(auto& io, Carried<Port> auto& value) {
  auto& [name, number, protocol, app_protocol] = value;
  io(name, number, protocol, app_protocol);
}
void carry(auto& io, Carried<Gateway> auto& value) {
  auto& [address, ports] = value;
  io(address, ports);
}
void carry(auto& io, Carried<AgentRow> auto& value) {
  auto& [nodes, namespaces, services] = value;
  io(nodes, namespaces, services);
}
void carry(auto& io, Carried<NodeQuota> auto& value) {
  auto& [endpoints, prefixes, addresses] = value;
  io(endpoints, prefixes, addresses);
}
void carry(auto& io, Carried<Cluster> auto& value) {
  auto& [meta, locality, gateways, distances, client_prefixes, allowed_prefixes, agents, node_quota] = value;
  io(meta, locality, gateways, distances, client_prefixes, allowed_prefixes, agents, node_quota);
}
void carry(auto& io, Carried<ClusterStatus> auto& value) {
  auto& [distances, gateways_down] = value;
  io(distances, gateways_down);
}

}  // namespace model

namespace topology {

void carry(auto& io, Carried<HostPort> auto& value) {
  auto& [name, protocol, number, app_protocol] = value;
  io(name, protocol, number, app_protocol);
}

}  // namespace topology

namespace answers {

void carry(auto& io, Carried<Claim> auto& value) {
  auto& [place, reason, configured, heard] = value;
  io(place, reason, configured, heard);
}
void carry(auto& io, Carried<ClusterRecords> auto& value) {
  auto& [clusters, statuses] = value;
  io(clusters, statuses);
}
void carry(auto& io, Carried<LocatorInput> auto& value) {
  auto& [claims, node_prefixes, clusters] = value;
  io(claims, node_prefixes, clusters);
}
void carry(auto& io, Carried<Hostnames::Entry> auto& value) {
  auto& [name, row] = value;
  io(name, row);
}
void carry(auto& io, Carried<ServicePort> auto& value) {
  auto& [name, tcp, app_protocol, number] = value;
  io(name, tcp, app_protocol, number);
}

}  // namespace answers

}  // namespace meshdns

namespace meshdns::answers {
namespace {

/// Numbers shared parts in the order in which they are added.
template <class Part>
class PartNumbers {
 public:
  void add(const Part* part) {
    if (part == last_) return;  // neighbouring hosts often share their parts
    last_ = part;
    if (numbers_.try_emplace(part, static_cast<std::uint32_t>(list_.size())).second) list_.push_back(part);
  }
  std::uint32_t of(const Part* part) const { return numbers_.at(part); }
  const std::vector<const Part*>& list() const { return list_; }

 private:
  std::map<const Part*, std::uint32_t> numbers_;
  std::vector<const Part*> list_;
  const Part* last_ = nullptr;
};

template <class F>
void for_each_host(const AnswerTable& table, F look) {
  for (const Ref<const HostPage>& page : table.pages) {
    for (const Ref<const Host>& host : page->hosts) {
      if (host) look(*host);
    }
  }
}

/// The parts that the hosts of a table share.
struct Parts {
  explicit Parts(const AnswerTable& table) {
    for_each_host(table, [this](const Host& host) {
      specs.add(host.spec.get());
      localities.add(host.localities.get());
      texts.add(host.texts.get());
    });
    for (const LocalityList* list : localities.list()) {
      for (const Ref<const KnownLocality>& place : list->entries) places.add(place.get());
    }
  }
  void write(ByteWriter& io) const {
    write_count(io, specs.list().size());
    for (const HostSpec* spec : specs.list()) io(spec->object, spec->policy, spec->host_ports, spec->ports);
    write_count(io, places.list().size());
    for (const KnownLocality* place : places.list()) io(place->value);
    write_count(io, localities.list().size());
    for (const LocalityList* list : localities.list()) {
      write_count(io, list->entries.size());
      for (const Ref<const KnownLocality>& place : list->entries) io(places.of(place.get()));
    }
    write_count(io, texts.list().size());
    for (const TextList* list : texts.list()) io(list->entries);
  }

  PartNumbers<HostSpec> specs;
  PartNumbers<KnownLocality> places;
  PartNumbers<LocalityList> localities;
  PartNumbers<TextList> texts;
};

/// The parts of a file, from which hosts are put together.
class ReadParts {
 public:
  explicit ReadParts(ByteReader& io) {
    read(io, specs_, [&io](HostSpec& spec) { io(spec.object, spec.policy, spec.host_ports, spec.ports); });
    read(io, places_, [&io](KnownLocality& place) { io(place.value); });
    read(io, localities_, [this, &io](LocalityList& list) {
      for (std::size_t left = io.count(); left > 0 && !io.failed(); --left) list.entries.push_back(one_of(io, places_));
    });
    read(io, texts_, [&io](TextList& list) {
      io(list.entries);
      if (list.entries.empty() || !list.entries.front().empty()) io.fail();
    });
  }

  /// Reads a host; null = the bytes are not a host.
  Ref<const Host> host(ByteReader& io, const HostSurroundings& around) const {
    auto spec = one_of(io, specs_);
    auto localities = one_of(io, localities_);
    auto texts = one_of(io, texts_);
    auto hostnames = read_hostnames(io);
    if (io.failed()) return {};
    return HostBytes::read(io, around, {std::move(spec), std::move(localities), std::move(texts), std::move(hostnames)});
  }

 private:
  template <class Part, class F>
  static void read(ByteReader& io, std::vector<Ref<const Part>>& list, F fill) {
    for (std::size_t left = io.count(); left > 0 && !io.failed(); --left) {
      auto part = std::make_unique<Part>();
      fill(*part);
      list.emplace_back(part.release());
    }
  }
  /// Reads a host's own hostnames; null = it has none.
  static Ref<const Hostnames> read_hostnames(ByteReader& io) {
    auto out = std::make_unique<Hostnames>();
    io(out->entries);
    return out->entries.empty() ? Ref<const Hostnames>() : Ref<const Hostnames>(out.release());
  }
  template <class Part>
  static Ref<const Part> one_of(ByteReader& io, const std::vector<Ref<const Part>>& list) {
    std::uint32_t number = 0;
    io(number);
    if (number < list.size()) return list[number];
    io.fail();
    return {};
  }

  std::vector<Ref<const HostSpec>> specs_;
  std::vector<Ref<const KnownLocality>> places_;
  std::vector<Ref<const LocalityList>> localities_;
  std::vector<Ref<const TextList>> texts_;
};

/// Returns the number of classes that each shape tells apart.
std::vector<std::size_t> classes_of(const KeptTable& table) {
  std::vector<std::size_t> out;
  for (const std::uint8_t parts : table.shapes) {
    std::set<model::Locality> views;
    for (const model::Locality& place : table.places) views.insert(topology::projected(place, parts));
    out.push_back(views.size());
  }
  return out;
}

}  // namespace

std::string bytes_of(const AnswerTable& table, TimePoint now, std::string_view head) {
  ByteWriter io;
  std::size_t hosts = 0;
  std::size_t size = std::size_t{1} << 16;
  for_each_host(table, [&](const Host& host) {
    ++hosts;
    size += host.memory();  // with sizeof(Host), which makes up for the fields written beside the arrays
  });
  io.reserve(size);
  io.raw(head.data(), head.size());
  io(table.where->input, *table.clusters, table.shapes, table.where->localities);
  io(table.version.revision, now - table.version.changed, table.serial, now.time_since_epoch() / Host::kSinceStep);
  const Parts parts(table);
  parts.write(io);
  write_count(io, hosts);
  for_each_host(table, [&](const Host& host) {
    io(parts.specs.of(host.spec.get()), parts.localities.of(host.localities.get()), parts.texts.of(host.texts.get()));
    io(host.hostnames ? host.hostnames->entries : std::vector<Hostnames::Entry>());
    HostBytes::write(io, host);
  });
  return io.take();
}

Result<KeptTable> kept_table_of(std::string_view bytes, std::size_t zones, TimePoint now, Duration age) {
  KeptTable out;
  ByteReader io(bytes);
  Duration unchanged{};
  std::int64_t then = 0;
  io(out.locator, out.clusters, out.shapes, out.places, out.version.revision, unchanged, out.serial, then);
  const auto is_empty = [](const auto& entry) { return entry.second.empty(); };
  if (std::ranges::any_of(out.locator.claims, is_empty)) return Error(Code::DataLoss, "a prefix has no claim");
  // the process that wrote the file had another clock: only durations survive
  out.version.changed = now - age - unchanged;
  const ReadParts parts(io);
  const HostSurroundings around{classes_of(out), zones, (now - age).time_since_epoch() / Host::kSinceStep - then};
  const std::size_t hosts = io.count();
  out.hosts.reserve(hosts);
  while (out.hosts.size() < hosts) {
    auto host = parts.host(io, around);
    if (!host) return Error(Code::DataLoss, "host " + std::to_string(out.hosts.size()) + " is none");
    out.hosts.push_back(std::move(host));
  }
  if (io.failed() || io.rest() != 0) return Error(Code::DataLoss, "not what was written");
  return out;
}

}  // namespace meshdns::answers

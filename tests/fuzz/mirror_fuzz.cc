// Whatever records another federation sends, they are taken or refused, the answer table is compiled, and every type is
// answered of every host, by a message that another reader (ldns) reads. The same records without any check are
// compiled and asked too: the compiler leaves out what it cannot use.
#include <string>

#include "common/convert/record_convert.h"
#include "dnsd/federation/mirror.h"
#include "dnsd/topology/planner.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/mesh/asker.h"

namespace {

using meshdns::IpAddress;
using meshdns::TimePoint;
using meshdns::wire::Type;
namespace model = meshdns::model;

constexpr TimePoint kNow{std::chrono::hours(1)};
constexpr std::size_t kLongest = 1 << 16;
constexpr std::size_t kMostHosts = 32;

void ask(meshdns::test::Asker& asker, const std::string& name) {
  if (!meshdns::wire::parse_name(name)) return;  // longer than a name can be
  for (const Type type : {Type::A, Type::AAAA, Type::SRV, Type::SVCB, Type::HTTPS, Type::TXT, Type::PTR, Type::ANY}) {
    for (const bool stream : {false, true}) {
      asker.stream = stream;
      asker.ask_edns(name, type);
    }
  }
}

std::string reverse_name(const IpAddress& address) {
  std::string out = "in-addr.arpa";
  for (const std::uint8_t byte : address.bytes()) out = std::to_string(byte) + "." + out;
  return out;
}

/// Every name that a host gives reason for.
void ask_host(meshdns::test::Asker& asker, const meshdns::topology::HostPlan& host) {
  for (const char* below : {"", "_explain.", "_all.", "10-0-0-1.", "0-0-0-0.", "fd00-0-0-0-0-0-0-1."}) {
    ask(asker, below + host.name);
  }
  for (const auto& port : host.ports) {
    ask(asker, "_" + port.name + (port.protocol == "UDP" ? "._udp." : "._tcp.") + host.name);
    if (meshdns::is_ldh_label(port.app_protocol)) ask(asker, "_8080._" + port.app_protocol + "." + host.name);
  }
  for (const auto& candidate : host.candidates) {
    if (candidate.v4) ask(asker, reverse_name(*candidate.v4));
  }
}

void compile_and_ask(const model::Records& records) {
  meshdns::test::SmallMesh mesh;
  mesh.settings.zones.push_back({"10.in-addr.arpa", {}, ""});
  mesh.records = records;
  meshdns::topology::Planner planner(records);
  planner.configure({.zones = {"mesh.internal"}}, [](const std::string&) { return false; });
  const auto plans = planner.take(kNow).put;
  const auto table = mesh.table();
  for (const char* client : {"10.0.0.9", "192.0.2.1", "fd00::9"}) {
    meshdns::test::Asker asker(table, client);
    for (std::size_t i = 0; i < std::min(plans.size(), kMostHosts); ++i) ask_host(asker, plans[i]);
  }
}

/// The endpoints, nodes and statuses as they are told.
model::Records unchecked(const meshdns::v1::Batch& batch) {
  namespace convert = meshdns::convert;
  model::Records out;
  for (const auto& record : batch.records()) {
    if (record.type() == "Endpoint") {
      const auto endpoint = convert::endpoint_of(record.key(), record.body(), kNow);
      if (!endpoint) continue;
      out.endpoints[endpoint->key] = *endpoint;
      ++out.services[{endpoint->namespace_, endpoint->service}].endpoints;
    } else if (record.type() == "Node") {
      if (const auto node = convert::node_of(record.body())) out.nodes[node->key] = *node;
    } else if (record.type() == "NodeStatus") {
      if (const auto status = convert::status_of(record.body(), kNow)) out.statuses[record.key()] = *status;
    }
  }
  return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  meshdns::v1::Batch batch;
  if (size > kLongest || !batch.ParseFromArray(data, static_cast<int>(size))) return 0;
  meshdns::catalog::Catalog catalog(100);
  catalog.set_capacity(1000);
  meshdns::federation::Mirror mirror(catalog, [](const std::string&, const meshdns::v1::Object*) {});
  batch.set_kind(meshdns::v1::Batch::SNAPSHOT);
  batch.set_epoch(1);
  batch.set_to(1);
  batch.set_part(0);
  batch.set_last(true);
  const auto taken = mirror.apply(batch, kNow);
  MESHDNS_CHECK(taken.has_value());
  compile_and_ask(catalog.records());
  compile_and_ask(unchecked(batch));
  // and once more, over what is held
  static_cast<void>(mirror.apply(batch, kNow));
  return 0;
}

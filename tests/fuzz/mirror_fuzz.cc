// Whatever records another federation sends, they are taken or refused, the answer table is compiled, and hosts are
// asked for every type, by messages whose replies another reader (ldns) reads. If a record was refused, the same
// records are compiled and asked without any check, too: the compiler leaves out what it cannot use.
//
// An input has reason for thousands of questions: names of 32 hosts and their 64 ports, in eight types, over both
// transports, from three clients. All of them took more than a second. So a table is asked each name for each type
// once, with one transport and client each; and of the questions beyond kMostQuestions, a random part that depends on
// the input: the next input, which differs by a few bytes, is asked others.
#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/convert/record_convert.h"
#include "common/model/memberships.h"
#include "dnsd/federation/mirror.h"
#include "dnsd/topology/planner.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/mesh/asker.h"

namespace {

using meshdns::IpAddress;
using meshdns::TimePoint;
using meshdns::wire::Type;
namespace model = meshdns::model;

using Random = std::minstd_rand;

constexpr TimePoint kNow{std::chrono::hours(1)};
constexpr std::size_t kLongest = 1 << 16;
constexpr std::size_t kMostHosts = 32;
constexpr std::size_t kMostQuestions = 96;
constexpr std::array kTypes = {Type::A,     Type::AAAA, Type::SRV, Type::SVCB,
                               Type::HTTPS, Type::TXT,  Type::PTR, Type::ANY};
constexpr std::array kClients = {"10.0.0.9", "192.0.2.1", "fd00::9"};

std::string reverse_name(const IpAddress& address) {
  std::string out = "in-addr.arpa";
  for (const std::uint8_t byte : address.bytes()) out = std::to_string(byte) + "." + out;
  return out;
}

/// Adds every name that a host gives reason for.
void add_names(const meshdns::topology::HostPlan& host, std::vector<std::string>& out) {
  for (const char* below : {"", "_explain.", "_all.", "10-0-0-1.", "0-0-0-0.", "fd00-0-0-0-0-0-0-1."}) {
    out.push_back(below + host.name);
  }
  for (const auto& port : host.ports) {
    out.push_back("_" + port.name + (port.protocol == "UDP" ? "._udp." : "._tcp.") + host.name);
    if (meshdns::is_ldh_label(port.app_protocol)) out.push_back("_8080._" + port.app_protocol + "." + host.name);
  }
  for (const auto& candidate : host.candidates) {
    if (candidate.v4) out.push_back(reverse_name(*candidate.v4));
    if (!candidate.hostname.empty()) out.push_back(candidate.hostname + "." + host.name);
  }
}

/// Returns every name that can be asked for.
std::vector<std::string> names_of(const model::Records& records) {
  meshdns::topology::Planner planner(records);
  planner.configure({.zones = {"mesh.internal"}}, [](const std::string&) { return false; });
  const auto plans = planner.take(kNow).put;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(plans.size(), kMostHosts); ++i) add_names(plans[i], out);
  const auto is_too_long = [](const std::string& name) { return !meshdns::wire::parse_name(name); };
  std::erase_if(out, is_too_long);
  return out;
}

void compile_and_ask(const model::Records& records, Random& random) {
  meshdns::test::SmallMesh mesh;
  mesh.settings.zones.push_back({"10.in-addr.arpa", {}, ""});
  mesh.records = records;
  const std::vector<std::string> names = names_of(records);
  meshdns::test::Asker asker(mesh.table());
  const std::size_t questions = names.size() * kTypes.size();
  const std::size_t turn = random();  // of transport and client
  for (std::size_t i = 0; i < std::min(questions, kMostQuestions); ++i) {
    const std::size_t question = questions <= kMostQuestions ? i : random() % questions;
    asker.client = meshdns::test::must(IpAddress::parse(kClients[(turn + i) / 2 % kClients.size()]));
    asker.stream = (turn + i) % 2 == 0;
    asker.ask_edns(names[question / kTypes.size()], kTypes[question % kTypes.size()]);
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
      for (const auto& service : model::services_of(*endpoint)) ++out.services[service].endpoints;
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
  Random random(
      static_cast<Random::result_type>(std::hash<std::string_view>{}({reinterpret_cast<const char*>(data), size})));
  compile_and_ask(catalog.records(), random);
  if (!taken->empty()) compile_and_ask(unchecked(batch), random);
  // and once more, over what is held
  static_cast<void>(mirror.apply(batch, kNow));
  return 0;
}

// The answer function and the compiler alone, without sockets: nanoseconds per answer, and what tables cost.
// Instructions per query are callgrind's to count
// (`run instructions`); times compare within one run only.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "dnsd/query/answer.h"
#include "dnsd/topology/decide.h"
#include "dnsd/wire/byte_order.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::bench {
namespace {

using Packet = std::vector<std::uint8_t>;
using wire::Type;

void append16(Packet& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

/// A query with EDNS; options: in wire form
Packet query_for(const std::string& name, Type type, const Packet& options = {}) {
  Packet out;
  for (const unsigned field : {0x1234U, 0U, 1U, 0U, 0U, 1U}) append16(out, field);
  const auto wire_name = test::must(wire::parse_name(name));
  out.insert(out.end(), wire_name.begin(), wire_name.end());
  for (const unsigned field : {static_cast<unsigned>(type), 1U}) append16(out, field);
  out.push_back(0);
  for (const unsigned field : {41U, 1232U, 0U, 0U, static_cast<unsigned>(options.size())}) append16(out, field);
  out.insert(out.end(), options.begin(), options.end());
  return out;
}

/// Asks the packets in turn.
void ask(benchmark::State& state, const answers::AnswerTable& table, const std::vector<Packet>& packets,
         const char* client, unsigned records) {
  std::array<std::uint8_t, 2048> buffer;
  query::Random random(1);
  query::Counters counters;
  const query::Context context{table, test::must(IpAddress::parse(client)), 0, false, TimePoint{1h}, random, counters};
  std::size_t next = 0;
  for (auto _ : state) {
    const Packet& packet = packets[next];
    next = next + 1 == packets.size() ? 0 : next + 1;
    std::copy(packet.begin(), packet.end(), buffer.begin());
    benchmark::DoNotOptimize(query::answer(buffer.data(), packet.size(), buffer.size(), context));
  }
  if (wire::load16(buffer.data() + 6) != records) state.SkipWithError("not the answer that was meant");
}

void small(benchmark::State& state, const char* name, Type type, unsigned records, const char* client = "10.0.0.9") {
  static const auto table = test::standard_mesh().table();
  ask(state, *table, {query_for(name, type)}, client, records);
}

void subnet(benchmark::State& state) {
  static const auto table = test::standard_mesh().table();
  const Packet option = {0, 8, 0, 7, 0, 1, 24, 0, 10, 0, 7};
  ask(state, *table, {query_for("three.shop.mesh.internal", Type::A, option)}, "192.0.2.53", 3);
}

constexpr unsigned kHosts = 10000;

/// 10,000 hosts with three instances in each of four places.
test::SmallMesh large_mesh() {
  test::SmallMesh mesh;
  for (unsigned place = 1; place <= 4; ++place) {
    const std::string node = "r" + std::to_string(place) + "-1/n1";
    mesh.node(node, "127." + std::to_string(place) + ".0.0/16");
    for (unsigned host = 0; host < kHosts; ++host) {
      const std::string service = "n" + std::to_string(host) + "/svc";
      for (unsigned i = 0; i < 3; ++i) {
        mesh.endpoint(node, service, IpAddress::v4(0x0A000000 + (place << 20) + host * 4 + i).text());
      }
    }
  }
  return mesh;
}

/// In an order that no cache foresees.
void many_hosts(benchmark::State& state) {
  const auto table = large_mesh().table();
  std::vector<Packet> packets;
  for (unsigned i = 0; i < kHosts; ++i) {
    packets.push_back(query_for("svc.n" + std::to_string(i * 7919 % kHosts) + ".mesh.internal", Type::A));
  }
  ask(state, *table, packets, "127.2.0.9", 3);
}

/// A table of 10,000 hosts from nothing: what a start costs, and what the table keeps of the heap: everything but what
/// it was made from.
void compile_all(benchmark::State& state, const char* naming) {
  test::SmallMesh mesh = large_mesh();
  mesh.settings.auto_hosts = naming;
  if (mesh.table()->names->hosts() != kHosts) state.SkipWithError("not the hosts that were meant");
  std::size_t kept = 0;
  std::size_t own = 0;
  for (auto _ : state) {
    const std::size_t before = ::mallinfo2().uordblks;
    const auto table = mesh.table();
    kept = ::mallinfo2().uordblks - before;
    own = 0;
    for (std::uint32_t i = 0; i < kHosts; ++i) own += table->host(i)->memory();
  }
  state.counters["us_per_host"] =
      benchmark::Counter(kHosts / 1e6, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["bytes_per_host"] = static_cast<double>(own) / kHosts;
  state.counters["MiB_per_100000_hosts"] = static_cast<double>(kept) * 100000 / kHosts / (1 << 20);
}

/// Deciding for one client among 1,000 endpoints in 20 tiers, a fifth of which fail; goal: at most 100 us.
void decide(benchmark::State& state) {
  topology::HostPlan host;
  host.policy.spill = model::Spill{};
  std::map<std::string, model::Cluster> clusters;
  for (unsigned i = 0; i < 1000; ++i) {
    topology::Candidate& candidate = host.candidates.emplace_back();
    const unsigned cluster = i / 50;
    candidate.locality = {"corp", "region-" + std::to_string(cluster / 4), "zone-" + std::to_string(cluster),
                          "",     "cluster-" + std::to_string(cluster),    "node-" + std::to_string(i)};
    if (i % 5 == 0) candidate.standing = topology::Standing::Failing;
    clusters["cluster-0"].distances[candidate.locality.cluster] = std::chrono::milliseconds(100 - cluster);
  }
  const std::map<std::string, model::ClusterStatus> statuses;
  const model::Locality client = host.candidates.front().locality;
  for (auto _ : state) {
    const auto decision = topology::decide(host, {client}, {clusters, statuses});
    if (decision.tiers.size() != 20) state.SkipWithError("not the tiers that were meant");
    benchmark::DoNotOptimize(decision.answer_tier);
  }
}
BENCHMARK(decide)->Unit(benchmark::kMicrosecond);

/// One endpoint of 120,000 fails or comes back: what it costs until the table is there.
void flip(benchmark::State& state) {
  test::SmallMesh mesh = large_mesh();
  topology::Planner planner(mesh.records);
  answers::Compiler compiler;
  answers::Update first;
  first.base = answers::make_base(mesh.settings, {});
  answers::configure(planner, *first.base);
  first.locator = answers::locator_input(mesh.records);
  first.clusters = answers::cluster_records(mesh.records);
  first.put = planner.take(TimePoint{1h}).put;
  auto table = compiler.apply(std::move(first));
  model::Endpoint& endpoint = std::next(mesh.records.endpoints.begin(), 77777)->second;
  for (auto _ : state) {
    using enum model::HealthState;
    endpoint.health.state = endpoint.health.state == Serving ? Failing : Serving;
    planner.endpoint_updated(endpoint);
    answers::Update update;
    update.put = planner.take(TimePoint{1h}).put;
    table = compiler.apply(std::move(update));
  }
}

BENCHMARK_CAPTURE(small, a_3_records, "three.shop.mesh.internal", Type::A, 3);
BENCHMARK_CAPTURE(small, a_8_of_12_with_ede_text, "many.shop.mesh.internal", Type::A, 8);
BENCHMARK_CAPTURE(small, aaaa, "web.shop.mesh.internal", Type::AAAA, 1);
BENCHMARK_CAPTURE(small, srv_3_targets, "_http._tcp.web.shop.mesh.internal", Type::SRV, 3);
BENCHMARK_CAPTURE(small, nxdomain, "nope.mesh.internal", Type::A, 0);
BENCHMARK_CAPTURE(small, refused, "example.com", Type::A, 0);
BENCHMARK_CAPTURE(small, cname_into_the_mesh, "www.mesh.internal", Type::A, 3);
BENCHMARK(subnet)->Name("a_3_records_by_client_subnet");
BENCHMARK(many_hosts)->Name("a_3_records_of_10000_hosts");
BENCHMARK_CAPTURE(compile_all, one_label, "{service}-{namespace}.{zone}")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile_all, with_empty_non_terminals, "{service}.{namespace}.{zone}")->Unit(benchmark::kMillisecond);
BENCHMARK(flip)->Name("flip_of_10000_hosts")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace meshdns::bench

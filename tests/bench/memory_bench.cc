// Bytes of the heap that a mesh takes: an endpoint in the catalog, in the planner, and in a replica's mirror, at the
// shape of mesh that tests of scale use (100 endpoints a node, 100 a service). Counted by the allocator, not by the
// system, so that figures repeat; run without arguments, or with the number of endpoints.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "common/convert/record_convert.h"
#include "common/process/memory.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/mirror.h"
#include "dnsd/topology/planner.h"

namespace meshdns::bench {
namespace {

constexpr std::size_t kPerNode = 100;
constexpr std::size_t kPartRecords = 4000;

std::string number(std::size_t value, std::size_t digits) {
  std::string out = std::to_string(value);
  return std::string(digits - std::min(digits, out.size()), '0') + out;
}

model::Endpoint endpoint(std::size_t index, std::size_t services) {
  const std::size_t node = index / kPerNode;
  const std::size_t own = index % kPerNode;
  const std::string address =
      "10." + std::to_string(node >> 8) + "." + std::to_string(node & 255) + "." + std::to_string(10 + own);
  model::Endpoint out;
  out.node = "eu-" + std::to_string(1 + node % 4) + "/node-" + number(node, 5);
  out.namespace_ = "load";
  out.service = "svc-" + number(index % services, 6);
  out.source = "static";
  out.labels = model::Labels{{"app", out.service}};
  out.addresses = {*IpAddress::parse(address)};
  out.ports = std::vector<model::Port>{{"http", 8000, "TCP", "http"}};
  out.health.state = model::HealthState::Serving;
  out.key = out.node + "/load/" + out.service + "/" + address + ":8000";
  return out;
}

class Meter {
 public:
  explicit Meter(std::size_t endpoints) : endpoints_(endpoints), begin_(now()) {}

  void print(const char* what) {
    const auto used = static_cast<double>(now()) - static_cast<double>(begin_);
    std::printf("%-44s %6.0f B an endpoint, %5.0f MiB\n", what, used / static_cast<double>(endpoints_),
                used / (1 << 20));
    begin_ = now();
  }

 private:
  static std::size_t now() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  }

  std::size_t endpoints_;
  std::size_t begin_;
};

/// MiB of the process that are in memory now.
std::size_t resident() {
  std::size_t pages = 0;
  std::size_t in_memory = 0;
  std::ifstream("/proc/self/statm") >> pages >> in_memory;
  return in_memory * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) >> 20;
}

void catalog(std::size_t endpoints) {
  Meter meter(endpoints);
  catalog::Catalog catalog;
  for (std::size_t i = 0; i < endpoints; ++i) {
    catalog.mirror(endpoint(i, endpoints / 100));
    if (i % kPartRecords == 0) catalog.mirrored(catalog.revision() + 1, TimePoint{});
  }
  catalog.mirrored(catalog.revision() + 1, TimePoint{});
  meter.print("catalog");
  topology::Planner planner(catalog.records());
  planner.configure({.zones = {"mesh.internal"}}, [](const std::string&) { return false; });
  meter.print("planner");
  planner.take(TimePoint{});
  meter.print("planner, after the first plan");
}

void replica(std::size_t endpoints) {
  Meter meter(endpoints);
  catalog::Catalog catalog;
  federation::Mirror mirror(catalog, [](const std::string&, const v1::Object*) {});
  v1::Batch part;
  part.set_epoch(1);
  part.set_to(1);
  part.set_kind(v1::Batch::SNAPSHOT);
  for (std::size_t i = 0; i < endpoints; ++i) {
    const auto one = endpoint(i, endpoints / 100);
    v1::Record& record = *part.add_records();
    record.set_type("Endpoint");
    record.set_key(one.key);
    record.set_body(convert::endpoint_body(one));
    const bool last = i + 1 == endpoints;
    if (!last && static_cast<std::size_t>(part.records_size()) < kPartRecords) continue;
    part.set_last(last);
    if (!mirror.apply(part, TimePoint{})) std::abort();
    part.clear_records();
    part.set_part(part.part() + 1);
  }
  part = {};
  meter.print("mirror with its catalog");
  const std::size_t before = resident();
  process::release_free_memory();
  std::printf("resident: %zu MiB, %zu MiB when free memory was given back\n", before, resident());
}

}  // namespace
}  // namespace meshdns::bench

int main(int argc, char** argv) {
  const std::size_t endpoints = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 200'000;
  meshdns::bench::replica(endpoints);
  meshdns::bench::catalog(endpoints);
}

// The short way answers what the long way answers: same bytes, same counters, for whatever it takes on.
#include "dnsd/query/fast_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "common/base/random_seed.h"
#include "tests/support/dns/request.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::query {
namespace {

using test::Bytes;
using test::EdnsRequest;
using test::must;
using test::Request;

/// One way of answering, with its own random numbers and counters.
struct Way {
  Random random{7};
  Counters counters;
  Bytes buffer = Bytes(4096);
  std::size_t size = 0;

  Totals totals() const {
    Totals sum;
    merge(sum, counters);
    return sum;
  }
};

std::vector<std::uint64_t> figures(const Way& way) {
  std::vector<std::uint64_t> out;
  Totals totals = way.totals();
  Totals::pairwise(totals, totals, [&](const std::uint64_t& value, const std::uint64_t&) { out.push_back(value); });
  return out;
}

class FastPathTest : public testing::Test {
 protected:
  FastPathTest() : trace_(__FILE__, __LINE__, "seed " + std::to_string(seed)) {
    mesh = test::standard_mesh();
    mesh.endpoint("eu-1/n1", "shop/uneven", "10.0.0.51").weight = 3;
    mesh.endpoint("eu-1/n1", "shop/uneven", "10.0.0.52");
    mesh.endpoints("us-1/n1", "shop/crowd", 70);
    mesh.endpoint("eu-1/n1", "shop/six", "fd00::61");
    mesh.endpoint("eu-1/n1", "shop/far", "10.0.0.71").health.state = model::HealthState::Failing;
    mesh.endpoint("us-1/n1", "shop/far", "10.2.0.71");
    mesh.destination("three").max_answers = 2;
    table = mesh.table();
  }

  int below(int end) { return std::uniform_int_distribution(0, end - 1)(random_); }
  template <class T>
  T one_of(std::initializer_list<T> list) {
    return *(list.begin() + below(static_cast<int>(list.size())));
  }
  Request request() {
    Request out;
    out.name = one_of({"web.shop.mesh.internal", "WEB.shop.Mesh.internal", "three.shop.mesh.internal",
                       "three.mesh.internal", "many.shop.mesh.internal", "dead.shop.mesh.internal",
                       "fenced.mesh.internal", "uneven.shop.mesh.internal", "crowd.shop.mesh.internal",
                       "six.shop.mesh.internal", "far.shop.mesh.internal", "www.mesh.internal", "nope.mesh.internal",
                       "_all.web.shop.mesh.internal", "example.com"});
    out.id = static_cast<std::uint16_t>(below(65536));
    out.type = one_of({wire::Type::A, wire::Type::A, wire::Type::A, wire::Type::AAAA, wire::Type::ANY});
    if (below(3) == 0) return out;
    EdnsRequest edns;
    edns.udp_size = one_of<std::uint16_t>({0, 512, 600, 1232, 4096});
    if (below(2) == 0) edns.subnet(one_of({"10.0.7.0/24", "10.2.0.9/32", "0.0.0.0/0", "203.0.113.0/24", "fd00::/64"}));
    if (below(8) == 0) edns.version = 1;
    out.edns = edns;
    return out;
  }

  void answer(const Request& request, const char* client, bool stream, bool fast, Way& way) {
    const Bytes packet = request.bytes();
    std::ranges::copy(packet, way.buffer.begin());
    wire::Query query;
    const wire::Reading reading = wire::read_query({way.buffer.data(), packet.size()}, query);
    const Context context{.table = *table,
                          .client = must(IpAddress::parse(client)),
                          .stream = stream,
                          .now = TimePoint{1h},
                          .random = way.random,
                          .counters = way.counters};
    taken_ = fast && reading == wire::Reading::Ok;
    if (taken_) way.size = fast_answer(way.buffer.data(), way.buffer.size(), query, context);
    taken_ = taken_ && way.size != 0;
    if (!taken_) way.size = answer_generally(way.buffer.data(), way.buffer.size(), reading, query, context);
  }

  const std::uint64_t seed = random_seed();
  testing::ScopedTrace trace_;
  std::mt19937_64 random_{seed};
  test::SmallMesh mesh;
  std::shared_ptr<const answers::AnswerTable> table;
  bool taken_ = false;
};

TEST_F(FastPathTest, IsByteForByteTheLongOne) {
  Way fast;
  Way general;
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    const Request asked = request();
    const char* client = one_of({"10.0.0.9", "10.2.3.4", "192.0.2.53", "198.51.100.7", "fd00::9"});
    const bool stream = below(8) == 0;
    answer(asked, client, stream, false, general);
    answer(asked, client, stream, true, fast);
    taken += taken_;
    ASSERT_EQ(Bytes(fast.buffer.begin(), fast.buffer.begin() + static_cast<std::ptrdiff_t>(fast.size)),
              Bytes(general.buffer.begin(), general.buffer.begin() + static_cast<std::ptrdiff_t>(general.size)))
        << asked.name << " from " << client;
    ASSERT_EQ(figures(fast), figures(general)) << asked.name << " from " << client;
  }
  EXPECT_GT(taken, 2000) << "the comparison means nothing if it is never used";
}

TEST_F(FastPathTest, LeavesWhatIsUnusual) {
  const auto takes = [&](const char* name, const char* client) {
    Way way;
    answer(Request{.name = name, .edns = EdnsRequest{}}, client, false, true, way);
    return taken_;
  };
  EXPECT_TRUE(takes("web.shop.mesh.internal", "10.0.0.9"));
  EXPECT_FALSE(takes("crowd.shop.mesh.internal", "10.0.0.9")) << "too many to draw from in a fixed buffer";
  EXPECT_FALSE(takes("many.shop.mesh.internal", "10.0.0.9")) << "8 of 12 is told";
  EXPECT_FALSE(takes("uneven.shop.mesh.internal", "10.0.0.9"));
  EXPECT_FALSE(takes("six.shop.mesh.internal", "10.0.0.9"));
  EXPECT_FALSE(takes("dead.shop.mesh.internal", "10.0.0.9"));
  EXPECT_FALSE(takes("nope.mesh.internal", "10.0.0.9"));
  EXPECT_FALSE(takes("www.mesh.internal", "10.0.0.9"));
}

}  // namespace
}  // namespace meshdns::query

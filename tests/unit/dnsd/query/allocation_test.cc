// The answer path allocates nothing. This binary counts every way to the heap: malloc and its kin, which the default
// operator new uses too, are replaced here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#include "tests/support/mesh/asker.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MESHDNS_SANITIZED 1  // the sanitizer's own malloc must stay
#endif

namespace meshdns::test {
namespace {

thread_local std::size_t allocations = 0;

}  // namespace

void count_allocation() { ++allocations; }

}  // namespace meshdns::test

#ifndef MESHDNS_SANITIZED
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  meshdns::test::count_allocation();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  meshdns::test::count_allocation();
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  meshdns::test::count_allocation();
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  meshdns::test::count_allocation();
  return __libc_memalign(alignment, size);
}
}
#endif

namespace meshdns::test {
namespace {

using wire::Type;

class AllocationTest : public testing::Test {
 protected:
  void SetUp() override {
#ifdef MESHDNS_SANITIZED
    GTEST_SKIP() << "a sanitizer owns malloc in this build";
#endif
  }

  /// How often answering this request goes to the heap; the rcode and records of the answer are checked, so that it is
  /// the answer that is meant.
  void expect_none(const Request& request, const char* expected, const char* client = "10.0.0.9") {
    SCOPED_TRACE(request.name + " from " + client);
    const Bytes packet = request.bytes();
    std::vector<std::uint8_t> buffer(65535);
    std::ranges::copy(packet, buffer.begin());
    const query::Context context{.table = *table_,
                                 .client = must(IpAddress::parse(client)),
                                 .now = TimePoint{9h},
                                 .random = random_,
                                 .counters = counters_,
                                 .policy = policy_,
                                 .limiter = &limiter_};
    const std::size_t before = allocations;
    const std::size_t size = query::answer(buffer.data(), packet.size(), buffer.size(), context);
    EXPECT_EQ(allocations - before, 0U);
    const Reply reply = must(parse_reply(std::span(buffer).first(size)));
    EXPECT_EQ(std::to_string(reply.rcode) + " " + std::to_string(reply.answer.size()) + " " + reply.ede(), expected);
  }
  void expect_none(const char* name, Type type, const char* expected, const char* client = "10.0.0.9") {
    expect_none({.name = name, .type = type, .edns = EdnsRequest{}}, expected, client);
  }

  static std::shared_ptr<const answers::AnswerTable> table() {
    SmallMesh mesh = standard_mesh();
    mesh.settings.zones.push_back({"10.in-addr.arpa", {}, ""});
    return mesh.table();
  }

  std::shared_ptr<const answers::AnswerTable> table_ = table();
  query::Policy policy_;
  query::RateLimiter limiter_{1};
  query::Random random_{1};
  query::Counters counters_;
};

TEST_F(AllocationTest, TheCounterCounts) {
  const auto counted = [](auto allocate) {
    const std::size_t before = allocations;
    allocate();
    return allocations - before;
  };
  EXPECT_EQ(counted([] {}), 0U);
  EXPECT_EQ(counted([] { std::vector<int>(100).front() = 1; }), 1U);
  EXPECT_EQ(counted([] { std::string(100, 'x').back() = 'y'; }), 1U);
  EXPECT_EQ(counted([] { std::free(std::malloc(1)); }), 1U);
  EXPECT_EQ(counted([] { std::free(std::realloc(std::calloc(1, 1), 100)); }), 2U);
  struct alignas(64) Wide {
    char bytes[64];
  };
  EXPECT_EQ(counted([] { delete new Wide; }), 1U);
}

TEST_F(AllocationTest, Positive) {
  expect_none("web.shop.mesh.internal", Type::A, "0 2 ");
  expect_none("web.shop.mesh.internal", Type::AAAA, "0 1 ");
  expect_none("_http._tcp.web.shop.mesh.internal", Type::SRV, "0 3 ");
  expect_none("_http._tcp.many.shop.mesh.internal", Type::SRV, "0 12 ");
  expect_none("many.shop.mesh.internal", Type::SRV, "0 12 ");
  expect_none("10-0-0-11.web.shop.mesh.internal", Type::A, "0 1 ");
  expect_none("_all.many.shop.mesh.internal", Type::A, "0 12 ");
  expect_none("www.mesh.internal", Type::A, "0 3 ");
  expect_none("out.mesh.internal", Type::A, "0 1 ");
  expect_none("x.wild.mesh.internal", Type::A, "0 1 ");
  expect_none("mesh.internal", Type::NS, "0 1 ");
  expect_none("mesh.internal", Type::SOA, "0 1 ");
  expect_none("web.shop.mesh.internal", Type::ANY, "0 1 ");
}

TEST_F(AllocationTest, ServiceBindingsPlacesAndReverseNames) {
  expect_none("_8080._http.web.shop.mesh.internal", Type::SVCB, "0 3 ");
  expect_none("_http.web.shop.mesh.internal", Type::SVCB, "0 0 ");
  expect_none("web.shop.mesh.internal", Type::HTTPS, "0 0 ");
  expect_none("zone-us-1.pin._zone.web.shop.mesh.internal", Type::A, "0 1 ");
  expect_none("a-place-too-long-for-the-string.prefer._region.web.shop.mesh.internal", Type::A, "0 2 ");
  expect_none("eu.pin._region.dead.shop.mesh.internal", Type::A, "0 1 0 last-resort: nothing serves there");
  expect_none("11.0.0.10.in-addr.arpa", Type::PTR, "0 1 ");
  expect_none("0.0.10.in-addr.arpa", Type::PTR, "0 0 ");
  expect_none("99.0.0.10.in-addr.arpa", Type::PTR, "3 0 ");
}

TEST_F(AllocationTest, Negative) {
  expect_none("nope.mesh.internal", Type::A, "3 0 ");
  expect_none("er.mesh.internal", Type::A, "0 0 ");
  expect_none("web.shop.mesh.internal", Type{666}, "0 0 ");
  expect_none("www.mesh.internal", Type{666}, "0 1 ");
  expect_none("example.com", Type::A, "5 0 20");
  expect_none("web.shop.mesh.internal", Type::OPT, "1 0 ");
  expect_none({.name = "web.shop.mesh.internal", .edns = EdnsRequest{.version = 1}}, "16 0 ");
}

TEST_F(AllocationTest, SubnetsAndExtendedErrors) {
  const EdnsRequest subnet = EdnsRequest{}.subnet("10.2.7.0/24");
  expect_none({.name = "web.shop.mesh.internal", .edns = subnet}, "0 1 ", "192.0.2.53");
  expect_none("many.shop.mesh.internal", Type::A, "0 8 0 8 of 12");
  expect_none("dead.shop.mesh.internal", Type::A, "0 1 0 last-resort: nothing serves, answering what is failing");
  expect_none("fenced.mesh.internal", Type::A,
              "0 0 18 the client's locality is not known, and the ladder has no rung any", "192.0.2.1");
}

TEST_F(AllocationTest, OptionsAndLimits) {
  policy_.nsid = "a-name-too-long-for-the-string-itself";
  policy_.cookies = {{1, 2, 3}};
  policy_.rate_limit = {.per_second = 1, .burst = 2, .slip = 1, .exempt = {}};
  const EdnsRequest asked = EdnsRequest{}.option(3, {}).option(10, hex("0102030405060708")).option(19, {});
  expect_none({.name = "web.shop.mesh.internal", .edns = asked}, "0 2 ");
  expect_none("nope.mesh.internal", Type::A, "3 0 ");
  expect_none({.name = "web.shop.mesh.internal", .edns = asked}, "0 0 ");
  policy_.allow = PrefixList(std::vector{must(Prefix::parse("192.0.2.0/24"))});
  expect_none("web.shop.mesh.internal", Type::A, "5 0 18");
}

// It decides anew, and allocates; whoever may not ask costs nothing.
TEST_F(AllocationTest, RefusedExplain) {
  expect_none("_explain.web.shop.mesh.internal", Type::TXT, "5 0 18", "192.0.2.1");
}

}  // namespace
}  // namespace meshdns::test

// Where clients are, against the definition taken literally: the longest prefix that holds the address, by trying all.
#include "dnsd/answers/locator_compiler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "common/base/random_seed.h"
#include "dnsd/query/random.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::answers {
namespace {

using query::Random;
using test::must;

IpAddress ip(const std::string& text) { return must(IpAddress::parse(text)); }

wire::ClientSubnet subnet_of(const Prefix& prefix) {
  wire::ClientSubnet out;
  out.present = true;
  out.family = prefix.family() == Family::V4 ? 1 : 2;
  out.source = static_cast<std::uint8_t>(prefix.length());
  out.address.fill(0);
  std::ranges::copy(prefix.address().bytes(), out.address.begin());
  return out;
}

class LocatorTest : public testing::Test {
 protected:
  LocatorTest() { settings.listeners.push_back({"10.0.9.1:53", {}}); }

  /// Cluster "c<i>" with these clients
  void cluster(const std::string& name, const std::vector<Prefix>& prefixes) {
    model::Cluster& object = records.clusters[name];
    object.meta.name = name;
    object.client_prefixes = prefixes;
  }
  Located locate(const IpAddress& client, const std::optional<Prefix>& subnet = std::nullopt,
                 std::uint16_t listener = 0) {
    return locator->locate(client, listener, subnet ? subnet_of(*subnet) : wire::ClientSubnet{});
  }
  const model::Locality& place(const Located& located) { return places.all().at(located.place); }
  void compile() { locator = compile_locator(locator_input(records), settings, places); }

  AnswerSettings settings;
  model::Records records;
  Places places;
  std::optional<Locator> locator;
};

/// Random prefixes that lie close to each other and inside each other, the whole address space among them at times.
Prefix random_prefix(Random& random, Family family) {
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next() & 0x83);
  bytes[0] = static_cast<std::uint8_t>(10 + random.below(2));
  if (family == Family::V4) {
    return Prefix::of(IpAddress::v4_bytes(std::span(bytes).first<4>()), static_cast<int>(random.below(33)));
  }
  return Prefix::of(IpAddress::v6_bytes(bytes), static_cast<int>(random.below(129)));
}

IpAddress last_of(const Prefix& prefix) {
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(prefix.address().bytes(), bytes.begin());
  for (int bit = prefix.length(); bit < prefix.address().bits(); ++bit) {
    bytes[static_cast<std::size_t>(bit) / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
  }
  return prefix.family() == Family::V4 ? IpAddress::v4_bytes(std::span(bytes).first<4>()) : IpAddress::v6_bytes(bytes);
}

/// The definition: the longest of all prefixes that holds the address.
const std::pair<const Prefix, std::string>* longest(const std::map<Prefix, std::string>& owners,
                                                    const IpAddress& address) {
  const std::pair<const Prefix, std::string>* best = nullptr;
  for (const auto& entry : owners) {
    if (!entry.first.contains(address)) continue;
    if (best == nullptr || entry.first.length() > best->first.length()) best = &entry;
  }
  return best;
}

class LocatorOracleTest : public LocatorTest {
 protected:
  /// A round of random prefixes; returns who owns which.
  std::map<Prefix, std::string> fill(Random& random) {
    records = {};
    places = {};
    std::map<Prefix, std::string> owners;
    for (std::uint32_t i = random.below(40); i > 0; --i) {
      const std::string name = "c" + std::to_string(i);
      const Prefix prefix = random_prefix(random, random.below(2) == 0 ? Family::V4 : Family::V6);
      if (owners.emplace(prefix, name).second) cluster(name, {prefix});
    }
    compile();
    return owners;
  }
  /// Addresses at the edges of every prefix, and anywhere.
  static std::vector<IpAddress> samples(const std::map<Prefix, std::string>& owners, Random& random) {
    std::vector<IpAddress> out;
    for (const auto& [prefix, name] : owners) {
      out.push_back(prefix.address());
      out.push_back(last_of(prefix));
    }
    for (int i = 0; i < 40; ++i) {
      out.push_back(random_prefix(random, i % 2 == 0 ? Family::V4 : Family::V6).address());
    }
    return out;
  }
};

TEST_F(LocatorOracleTest, TheLongestPrefixOfTheSource) {
  const std::uint64_t seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    const auto owners = fill(random);
    for (const IpAddress& address : samples(owners, random)) {
      const auto* expected = longest(owners, address);
      const Located located = locate(address);
      ASSERT_EQ(place(located).cluster, expected == nullptr ? "" : expected->second) << address.text();
      ASSERT_EQ(located.source, expected == nullptr ? PlaceSource::Nowhere : PlaceSource::Prefix);
      ASSERT_EQ(located.scope, 0) << "without a subnet option there is no scope";
    }
  }
}

// RFC 7871 7.2.1: the scope tells a range in which every address gets this answer, and no range that overlaps another
// answer's; of two such the shorter is better.
TEST_F(LocatorOracleTest, TheScopeIsARangeOfOneAnswer) {
  const std::uint64_t seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  settings.forwarders.push_back({must(Prefix::parse("192.0.2.53/32")), model::Part::Cluster});
  for (int round = 0; round < 100; ++round) {
    const auto owners = fill(random);
    const auto addresses = samples(owners, random);
    for (const IpAddress& address : addresses) {
      const Located located = locate(ip("192.0.2.53"), Prefix::host(address));
      const auto* expected = longest(owners, address);
      // a subnet that nobody knows is as near as the forwarder
      const auto* placed = expected != nullptr ? expected : longest(owners, ip("192.0.2.53"));
      ASSERT_EQ(place(located).cluster, placed == nullptr ? "" : placed->second) << address.text();
      ASSERT_TRUE(located.subnet_trusted);
      const Prefix range = Prefix::of(address, located.scope);
      for (const IpAddress& other : addresses) {
        if (!range.contains(other)) continue;
        ASSERT_EQ(longest(owners, other), expected) << range.text() << " " << other.text();
      }
      if (located.scope == 0) continue;
      const Prefix wider = Prefix::of(address, located.scope - 1);
      const bool mixed = std::ranges::any_of(
          owners, [&](const auto& entry) { return wider.contains(entry.first) && entry.first != wider; });
      ASSERT_TRUE(mixed) << wider.text() << " would have done";
    }
  }
}

TEST_F(LocatorTest, NothingKnown) {
  compile();
  const Located located = locate(ip("10.0.0.1"));
  EXPECT_EQ(located.source, PlaceSource::Nowhere);
  EXPECT_TRUE(place(located).empty());
  EXPECT_EQ(locator->reasons[located.reason], "as nothing says where");
}

TEST_F(LocatorTest, TheServersOwnPlaceIsTheLastWord) {
  settings.own = {.region = "eu", .zone = "eu-a"};
  cluster("c1", {must(Prefix::parse("10.0.0.0/8"))});
  compile();
  EXPECT_EQ(locate(ip("192.0.2.1")).source, PlaceSource::Server);
  const Located located = locate(ip("10.0.0.1"));
  EXPECT_EQ(located.source, PlaceSource::Prefix);
  EXPECT_EQ(place(located).cluster, "c1");
  EXPECT_EQ(place(located).region, "eu") << "what the prefix leaves open is filled";
}

TEST_F(LocatorTest, AListenersPlaceIsTheFirstWord) {
  settings.listeners.push_back({"10.0.9.2:53", {.region = "us", .cluster = "us-1"}});
  cluster("c1", {must(Prefix::parse("10.0.0.0/8"))});
  compile();
  EXPECT_EQ(locate(ip("10.0.0.1"), {}, 0).source, PlaceSource::Prefix);
  EXPECT_EQ(locate(ip("10.0.0.1"), {}, 1).source, PlaceSource::Listener);
  EXPECT_EQ(place(locate(ip("10.0.0.1"), {}, 1)).cluster, "us-1");
  EXPECT_EQ(locate(ip("10.0.0.1"), {}, 2).source, PlaceSource::Prefix) << "the one for questions from elsewhere";
}

TEST_F(LocatorTest, ConfigurationWinsTiesAndLengthWinsOverConfiguration) {
  cluster("c1", {must(Prefix::parse("10.0.0.0/16"))});
  model::Node& node = records.nodes["c2/n1"];
  node.key = "c2/n1";
  node.locality = {.cluster = "c2", .node = "n1"};
  node.prefixes = {must(Prefix::parse("10.0.0.0/16")), must(Prefix::parse("10.0.7.0/24"))};
  node.addresses = {ip("10.0.8.1")};
  compile();
  EXPECT_EQ(place(locate(ip("10.0.1.1"))).cluster, "c1");
  EXPECT_EQ(place(locate(ip("10.0.7.1"))).cluster, "c2");
  EXPECT_EQ(place(locate(ip("10.0.8.1"))).node, "n1");
}

// An agent that reported 0.0.0.0/0 opened `_explain`, and the reasons in answers, to everybody.
TEST_F(LocatorTest, WhoMayExplainIsNotWidenedByWhatAgentsReport) {
  model::Node& node = records.nodes["c1/n1"];
  node.key = "c1/n1";
  node.locality = {.cluster = "c1", .node = "n1"};
  node.prefixes = {must(Prefix::parse("0.0.0.0/0")), must(Prefix::parse("10.0.7.0/24"))};
  node.addresses = {ip("10.0.8.1"), ip("192.0.2.1")};
  const auto host = [](const IpAddress& address) { return Prefix::host(address); };
  EXPECT_EQ(locator_input(records).node_prefixes, (std::vector<Prefix>{host(ip("10.0.8.1")), host(ip("192.0.2.1"))}));
  cluster("c1", {});
  EXPECT_EQ(locator_input(records).node_prefixes.size(), 2U) << "an object that does not say what is allowed";
  records.clusters["c1"].allowed_prefixes = {must(Prefix::parse("10.0.0.0/16"))};
  EXPECT_EQ(locator_input(records).node_prefixes,
            (std::vector<Prefix>{must(Prefix::parse("10.0.7.0/24")), host(ip("10.0.8.1"))}));
}

TEST_F(LocatorTest, AForwardersSubnet) {
  settings.forwarders.push_back({must(Prefix::parse("192.0.2.53/32")), model::Part::Cluster});
  cluster("c1", {must(Prefix::parse("10.0.0.0/16"))});
  compile();
  const auto zero = locate(ip("192.0.2.53"), must(Prefix::parse("0.0.0.0/0")));
  EXPECT_TRUE(zero.subnet_trusted);
  EXPECT_EQ(zero.scope, 0);
  EXPECT_EQ(zero.source, PlaceSource::Nowhere);
  EXPECT_FALSE(locate(ip("192.0.2.53")).subnet_trusted) << "no option, none to answer";
  EXPECT_FALSE(locate(ip("192.0.2.54"), must(Prefix::parse("10.0.0.0/24"))).subnet_trusted);
  EXPECT_EQ(locate(ip("192.0.2.53"), must(Prefix::parse("10.0.0.0/24"))).source, PlaceSource::ClientSubnet);
}

TEST(PlacesTest, NumbersEachOnce) {
  Places places;
  EXPECT_EQ(places.id_of({.zone = "a"}), 0U);
  EXPECT_EQ(places.id_of({.zone = "b"}), 1U);
  EXPECT_EQ(places.id_of({.zone = "a"}), 0U);
  EXPECT_EQ(places.all().size(), 2U);
}

class ClaimTest : public LocatorTest {
 protected:
  void node(const std::string& key, const std::string& prefix, std::uint64_t session = 1, bool silent = false) {
    const auto slash = key.find('/');
    model::Node& out = records.nodes[key];
    out.key = key;
    out.locality = {.region = "eu",
                    .zone = "z-" + key.substr(slash + 1),
                    .cluster = key.substr(0, slash),
                    .node = key.substr(slash + 1)};
    out.prefixes = {must(Prefix::parse(prefix))};
    out.session = session;
    if (silent) records.statuses[key].silent = true;
  }
  std::string where(const std::string& client, const std::optional<Prefix>& subnet = std::nullopt,
                    std::uint16_t listener = 0) {
    places = {};
    compile();
    const Located located = locate(ip(client), subnet, listener);
    return place(located).text() + "/" + place(located).node;
  }
};

TEST_F(ClaimTest, AHeardNodesPrefixBeatsASilentOnes) {
  node("eu-1/n1", "10.0.0.0/24", 9, true);
  node("eu-1/n2", "10.0.0.0/24", 1);
  EXPECT_EQ(where("10.0.0.7"), "eu/z-n2/eu-1/n2");
  node("us-1/n1", "10.1.0.0/24", 1, true);
  node("ap-1/n1", "10.1.0.0/24", 1);
  EXPECT_EQ(where("10.1.0.7"), "eu/z-n1/ap-1/n1") << "of whatever cluster";
}

TEST_F(ClaimTest, OfTwoHeardNodesOfAClusterTheNewerSessionHasThePrefix) {
  node("eu-1/n1", "10.0.0.0/24", 8);
  node("eu-1/n2", "10.0.0.0/24", 7);
  EXPECT_EQ(where("10.0.0.7"), "eu/z-n1/eu-1/n1");
  node("eu-1/n2", "10.0.0.0/24", 9);
  EXPECT_EQ(where("10.0.0.7"), "eu/z-n2/eu-1/n2");
  node("eu-1/n1", "10.0.0.0/24", 9);
  EXPECT_EQ(where("10.0.0.7"), "eu/-/eu-1/") << "as far as both agree";
}

// Two clusters with the pod network that kubeadm gives to all.
TEST_F(ClaimTest, OfEqualClaimsTheAskedServersClusterWins) {
  node("eu-1/n1", "10.244.0.0/24", 5);
  node("us-1/n1", "10.244.0.0/24", 9);
  settings.own = {.region = "us", .cluster = "us-1"};
  EXPECT_EQ(where("10.244.0.7"), "eu/z-n1/us-1/n1");
  settings.own = {.region = "eu", .cluster = "eu-1"};
  EXPECT_EQ(where("10.244.0.7"), "eu/z-n1/eu-1/n1");
  settings.own = {.region = "ap", .zone = "ap-a", .cluster = "ap-1"};
  EXPECT_EQ(where("10.244.0.7"), "eu/z-n1/-/") << "neither, and not here: as far as the claims agree";
  EXPECT_EQ(locator->contested_count, 1U);
  EXPECT_EQ(locator->contested.at(0), "prefix 10.244.0.0/24 is claimed by eu-1 and us-1");
}

TEST_F(ClaimTest, OfEqualClaimsTheListenersClusterWins) {
  node("eu-1/n1", "10.244.0.0/24");
  node("us-1/n1", "10.244.0.0/24");
  settings.own = {.cluster = "eu-1"};
  settings.listeners.push_back({"10.0.9.2:53", {.cluster = "us-1"}});
  EXPECT_EQ(where("10.244.0.7", std::nullopt, 0), "eu/z-n1/eu-1/n1");
  EXPECT_EQ(where("10.244.0.7", std::nullopt, 1), "eu/z-n1/us-1/n1");
}

TEST_F(ClaimTest, OfEqualClaimsTheTrustedForwardersClusterWins) {
  node("eu-1/n1", "10.244.0.0/24");
  node("us-1/n1", "10.244.0.0/24");
  node("us-1/dns", "192.0.2.53/32");
  node("eu-1/dns", "192.0.2.54/32");
  settings.own = {.cluster = "ap-1"};
  for (const char* forwarder : {"192.0.2.53/32", "192.0.2.54/32", "192.0.2.55/32"}) {
    settings.forwarders.push_back({must(Prefix::parse(forwarder)), model::Part::Cluster});
  }
  const Prefix subnet = must(Prefix::parse("10.244.0.0/24"));
  EXPECT_EQ(where("192.0.2.53", subnet), "eu/z-n1/us-1/n1");
  EXPECT_EQ(where("192.0.2.54", subnet), "eu/z-n1/eu-1/n1");
  EXPECT_EQ(where("192.0.2.55", subnet), "eu/z-n1/-/");
}

TEST_F(ClaimTest, OfEqualClaimsTheShorterConfiguredPrefixesClusterWins) {
  node("eu-1/n1", "10.244.0.0/24");
  node("us-1/n1", "10.244.0.0/24");
  cluster("us-1", {must(Prefix::parse("10.244.0.0/16"))});
  EXPECT_EQ(where("10.244.0.7"), "eu/z-n1/us-1/n1");
  cluster("eu-1", {must(Prefix::parse("10.244.0.0/16"))});
  EXPECT_EQ(where("10.244.0.7"), "eu/z-n1/-/") << "both say so";
}

TEST_F(ClaimTest, AConfiguredClaimBeatsAReportedOneOfTheSamePrefix) {
  node("eu-1/n1", "10.0.0.0/24");
  cluster("us-1", {must(Prefix::parse("10.0.0.0/24"))});
  settings.own = {.cluster = "eu-1"};
  EXPECT_EQ(where("10.0.0.7"), "-/-/us-1/");
}

}  // namespace
}  // namespace meshdns::answers

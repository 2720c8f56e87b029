// Hosts so long that the names of some of their instances would be longer than a name can be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using wire::Type;

/// A name of so many bytes on the wire, below mesh.internal.
std::string name_of(std::size_t wire_size) {
  std::string out = "mesh.internal";
  for (std::size_t left = wire_size - 15; left > 0;) {
    const std::size_t part = left > 120 ? 60 : left > 62 ? left / 2 : left;
    out = std::string(part - 1, 'x') + "." + out;
    left -= part;
  }
  return out;
}

class LongNameTest : public testing::Test {
 protected:
  Asker asker_of(std::vector<std::string> addresses) {
    SmallMesh mesh;
    mesh.settings.auto_hosts.clear();
    mesh.settings.zones.push_back({"192.in-addr.arpa", {}, ""});
    mesh.node("eu-1/n1");
    for (const std::string& address : addresses) mesh.endpoint("eu-1/n1", "shop/long", address);
    model::VirtualDestination& object = mesh.records.destinations["shop/long"];
    object.meta.namespace_ = "shop";
    object.meta.name = "long";
    object.hosts = {host};
    object.services.push_back({"", "long", {}, {}});
    object.ports.push_back({"http", 80, "TCP", "http", "http"});
    return Asker(mesh.table());
  }

  // with _http._tcp before it, as long as a name can be; so is an instance label of ten digits and hyphens
  const std::string host = name_of(244);
  const std::string service = "_http._tcp." + host;
};

TEST_F(LongNameTest, WhatFitsIsNamed) {
  Asker asker = asker_of({"10.0.0.100", "192.168.100.100", "fd00:1111:2222::1"});
  const Reply srv = asker.ask_edns(service, Type::SRV);
  EXPECT_THAT(srv.answer, ElementsAre(service + ". 5 IN SRV 0 100 8080 10-0-0-100." + host + "."));
  EXPECT_THAT(srv.additional, ElementsAre("10-0-0-100." + host + ". 5 IN A 10.0.0.100"));
  EXPECT_EQ(asker.ask(host, Type::A).answer.size(), 2U) << "an address needs no name";
}

TEST_F(LongNameTest, NoneFits) {
  Asker asker = asker_of({"192.168.100.100", "fd00:1111:2222::1"});
  for (const Type type : {Type::SRV, Type::SVCB}) {
    const Reply reply = asker.ask_edns(type == Type::SRV ? service : "_80._http." + host, type);
    EXPECT_EQ(reply.rcode, 0);
    EXPECT_THAT(reply.answer, IsEmpty());
  }
  EXPECT_THAT(asker.ask("100.100.168.192.in-addr.arpa", Type::PTR).answer, IsEmpty());
}

TEST_F(LongNameTest, LongestThatAlwaysFits) {
  const std::string shorter = name_of(255 - 40);
  SmallMesh mesh;
  mesh.node("eu-1/n1");
  mesh.endpoint("eu-1/n1", "shop/long", "fd00:1111:2222:3333:4444:5555:6666:7777");
  mesh.destination("long");
  mesh.records.destinations["shop/long"].hosts = {shorter};
  Asker asker(mesh.table());
  EXPECT_THAT(asker.ask_edns("_http._tcp." + shorter, Type::SRV).additional,
              ElementsAre("fd00-1111-2222-3333-4444-5555-6666-7777." + shorter +
                          ". 5 IN AAAA fd00:1111:2222:3333:4444:5555:6666:7777"));
}

}  // namespace
}  // namespace meshdns::test

#include "common/model/memberships.h"

#include <gtest/gtest.h>

#include <string>

namespace meshdns::model {
namespace {

using Names = std::vector<std::string>;

Endpoint pod(std::string service, Memberships memberships) {
  Endpoint out;
  out.namespace_ = "shop";
  out.service = std::move(service);
  out.ports = {{"app", 8080, "TCP", ""}};
  out.memberships = std::move(memberships);
  return out;
}

Names services(const Endpoint& endpoint) {
  Names out;
  for_each_service(endpoint, [&](const std::string& service) { out.push_back(service); });
  return out;
}

/// The ports as "name:number", in the order in which they are visited.
Names ports_in(const Endpoint& endpoint, const std::string& service) {
  Names out;
  for_each_port_in(endpoint, service,
                   [&](const Port& port) { out.push_back(port.name + ":" + std::to_string(port.number)); });
  return out;
}

Names clear_ports(const Endpoint& endpoint) {
  Names out;
  for_each_clear_port(endpoint, [&](const Port& port) { out.push_back(port.name + ":" + std::to_string(port.number)); });
  return out;
}

TEST(Memberships, an_endpoint_has_each_service_once) {
  EXPECT_EQ(services(pod("", {})), Names());
  EXPECT_EQ(services(pod("web", {})), Names({"web"}));
  EXPECT_EQ(services(pod("", {{.service = "api"}, {.service = "web"}})), Names({"api", "web"}));
  EXPECT_EQ(services(pod("web", {{.service = "api"}, {.service = "Web"}})), Names({"web", "api"}));
}

TEST(Memberships, belonging_ignores_case_and_needs_a_name) {
  const Endpoint endpoint = pod("", {{.service = "web"}});
  EXPECT_TRUE(belongs_to(endpoint, "WEB"));
  EXPECT_FALSE(belongs_to(endpoint, "api"));
  EXPECT_FALSE(belongs_to(endpoint, ""));
  EXPECT_FALSE(belongs_to(pod("", {}), ""));
}

TEST(Memberships, people_read_all_services) {
  EXPECT_EQ(services_text(pod("", {})), "shop/-");
  EXPECT_EQ(services_text(pod("web", {})), "shop/web");
  EXPECT_EQ(services_text(pod("web", {{.service = "api"}})), "shop/web,shop/api");
}

TEST(Memberships, flags_and_ports_do_not_change_which_services_there_are) {
  const Endpoint one = pod("", {{.service = "web"}});
  EXPECT_TRUE(same_services(one, pod("", {{.service = "web", .hostname = "web-0", .not_ready_too = true}})));
  EXPECT_FALSE(same_services(one, pod("", {{.service = "api"}})));
  EXPECT_FALSE(same_services(one, pod("", {})));
  EXPECT_FALSE(same_services(one, pod("web", {{.service = "web"}})));
}

TEST(Memberships, a_service_has_the_ports_of_its_membership) {
  const Endpoint endpoint = pod("web", {{.service = "api", .ports = {{"http", 9000, "TCP", ""}}},
                                        {.service = "web", .ports = {{"http", 8080, "TCP", ""}}}});
  EXPECT_EQ(ports_in(endpoint, "api"), Names({"http:9000"}));
  EXPECT_EQ(ports_in(endpoint, "web"), Names({"http:8080", "app:8080"}));  // its own service too
  EXPECT_EQ(ports_in(pod("web", {}), "web"), Names({"app:8080"}));
}

TEST(Memberships, ports_without_a_service_are_those_nobody_disagrees_about) {
  const Endpoint endpoint = pod("", {{.service = "api", .ports = {{"http", 9000, "TCP", ""}, {"dns", 53, "UDP", ""}}},
                                     {.service = "web", .ports = {{"http", 8080, "TCP", ""}, {"dns", 53, "TCP", ""}}}});
  EXPECT_EQ(clear_ports(endpoint), Names({"app:8080", "dns:53", "dns:53"}));
}

TEST(Memberships, equal_ones_hash_alike_and_every_part_counts) {
  const Membership web = {.service = "web", .ports = {{"http", 80, "TCP", ""}}, .hostname = "web-0"};
  const SharedHash hash;
  EXPECT_EQ(hash(Memberships{web}), hash(Memberships{web}));
  const auto differs = [&](auto change) {
    Membership other = web;
    change(other);
    EXPECT_NE(other, web);
    return hash(Memberships{other}) != hash(Memberships{web});
  };
  EXPECT_TRUE(differs([](Membership& each) { each.service = "api"; }));
  EXPECT_TRUE(differs([](Membership& each) { each.ports.front().number = 81; }));
  EXPECT_TRUE(differs([](Membership& each) { each.hostname = "web-1"; }));
  EXPECT_TRUE(differs([](Membership& each) { each.exported = true; }));
  EXPECT_TRUE(differs([](Membership& each) { each.not_ready_too = true; }));
}

TEST(Memberships, their_texts_use_the_share_of_the_node) {
  const Endpoint bare = pod("", {});
  const Endpoint more = pod("", {{.service = "web", .ports = {{"http", 80, "TCP", ""}}, .hostname = "web-0"}});
  EXPECT_EQ(text_bytes(more) - text_bytes(bare), 16U + 3 + 5 + 16 + 4 + 3);
}

}  // namespace
}  // namespace meshdns::model

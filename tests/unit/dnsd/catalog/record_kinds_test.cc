// The table of record kinds, and what a tenth kind needs: a row, a member, and its codec.
#include "dnsd/catalog/record_kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace meshdns::catalog {
namespace {

using testing::ElementsAre;

TEST(RecordKinds, each_type_has_its_name) {
  EXPECT_EQ(record_type_name(RecordType::ExternalName), "ExternalName");
  EXPECT_EQ(record_type_named("Override"), RecordType::Override);
  EXPECT_EQ(record_type_named("Lease"), std::nullopt) << "a kind that newer federations have";
  EXPECT_EQ(record_type_named(""), std::nullopt);
  RecordKinds::each([](auto kind) { EXPECT_EQ(record_type_named(kind.kName), kind.kType); });
}

TEST(RecordKinds, operators_apply_three_of_them) {
  std::vector<std::string_view> objects;
  RecordKinds::each([&](auto kind) {
    EXPECT_EQ(is_object(kind.kType), kind.kObject);
    if (kind.kObject) objects.push_back(kind.kName);
  });
  EXPECT_THAT(objects, ElementsAre("VirtualDestination", "Cluster", "Override"));
}

TEST(RecordKinds, keys_of_services_have_two_parts) {
  EXPECT_EQ(ServiceKind::key_of("shop/web"), (model::ServiceKey{"shop", "web"}));
  EXPECT_EQ(ServiceKind::text_of({"shop", "web"}), "shop/web");
  EXPECT_EQ(ServiceKind::key_of("shop"), (model::ServiceKey{"shop", ""}));
}

// ---- a tenth kind ----

struct Lease {
  int seconds = 0;
};
struct MoreRecords : model::Records {
  std::map<std::string, Lease> leases;
};
struct LeaseKind : RecordKind<static_cast<RecordType>(kRecordTypes), &MoreRecords::leases> {
  static constexpr std::string_view kName = "Lease";
  static void changed(model::RecordObserver&, const std::string&) {}
};
using MoreKinds = KindList<NodeKind, NodeStatusKind, EndpointKind, ServiceKind, VirtualDestinationKind, ClusterKind,
                           ClusterStatusKind, ExternalNameKind, OverrideKind, LeaseKind>;

std::string encode(const std::string& key, const Lease& lease) { return key + "=" + std::to_string(lease.seconds); }
template <class Key, class Other>
std::string encode(const Key&, const Other&) {
  return "as before";
}

TEST(RecordKinds, a_tenth_kind_is_a_row_and_its_codec) {
  MoreRecords records;
  records.nodes["eu-1/n1"];
  records.services[{"shop", "web"}];
  records.leases["n1"] = {7};

  std::vector<std::string> all;
  MoreKinds::each([&](auto kind) {
    for (const auto& [key, record] : records.*kind.kMember) {
      std::string line(kind.kName);
      line.append(" ").append(kind.text_of(key)).append(" ").append(encode(key, record));
      all.push_back(line);
    }
  });
  EXPECT_THAT(all, ElementsAre("Node eu-1/n1 as before", "Service shop/web as before", "Lease n1 n1=7"));

  const auto type = MoreKinds::named("Lease");
  ASSERT_TRUE(type);
  EXPECT_EQ(MoreKinds::name_of(*type), "Lease");
  MoreKinds::visit(*type, [&](auto kind) { (records.*kind.kMember).erase(kind.key_of("n1")); });
  EXPECT_TRUE(records.leases.empty());
  EXPECT_EQ(records.nodes.size(), 1U);
}

}  // namespace
}  // namespace meshdns::catalog

#include "agent/discovery/machine_place.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace meshdns::discovery {
namespace {

std::string data(const std::string& v1) { return R"({"ds": {}, "v1": {)" + v1 + "}}"; }

struct Case {
  const char* v1;
  const char* region;
  const char* zone;
  const char* source;
};

TEST(InstanceData, of_each_cloud) {
  const Case cases[] = {
      {R"("cloud_name": "aws", "region": "eu-central-1", "availability_zone": "eu-central-1b")", "eu-central-1",
       "eu-central-1b", "cloud-init (aws)"},
      {R"("cloud_name": "gce", "region": "europe-west1", "availability_zone": "europe-west1-c")", "europe-west1",
       "europe-west1-c", "cloud-init (gce)"},
      {R"("cloud_name": "azure", "region": "westeurope", "availability_zone": "2")", "westeurope", "westeurope-2",
       "cloud-init (azure)"},
      {R"("cloud_name": "azure", "region": "westeurope", "availability_zone": null)", "westeurope", "",
       "cloud-init (azure)"},
      {R"("cloud_name": "hetzner", "region": "eu-central", "availability_zone": "fsn1-dc14")", "eu-central",
       "fsn1-dc14", "cloud-init (hetzner)"},
      {R"("cloud_name": "unknown", "region": "Region One")", "Region-One", "", "cloud-init"},
  };
  for (const Case& each : cases) {
    const auto found = place_of_instance_data(data(each.v1));
    EXPECT_EQ(found.place, (model::Locality{.region = each.region, .zone = each.zone})) << each.v1;
    EXPECT_EQ(found.source, each.source);
    EXPECT_EQ(found.problem, "");
  }
}

TEST(InstanceData, without_a_region_there_is_no_zone) {
  const auto found =
      place_of_instance_data(data(R"("cloud_name": "openstack", "region": null, "availability_zone": "nova")"));
  EXPECT_EQ(found, (MachinePlace{{}, "", "cloud-init (openstack) does not say the region"}));
  EXPECT_EQ(place_of_instance_data(data(R"("region": "none")")).problem, "cloud-init does not say the region");
  EXPECT_EQ(place_of_instance_data("{}").problem, "cloud-init does not say the region");
}

TEST(InstanceData, that_is_none) {
  for (const char* text : {"", "[]", "{\"v1\": 7}", "{\"v1\": {\"region\": [\"eu\"]}}", "{\"v1\": "}) {
    const auto found = place_of_instance_data(text);
    EXPECT_EQ(found.source, "") << text;
    EXPECT_TRUE(found.problem.starts_with("cloud-init's instance data cannot be read: ")) << found.problem;
  }
}

TEST(Dmi, an_asset_tag_may_say_it) {
  const auto found = place_of_dmi("region=eu, zone=eu-a;subzone=rack-7", "QEMU");
  EXPECT_EQ(found.place, (model::Locality{.region = "eu", .zone = "eu-a", .subzone = "rack-7"}));
  EXPECT_EQ(found.source, "DMI");
  EXPECT_EQ(place_of_dmi("region=", "QEMU").problem, "the DMI (QEMU) does not say the region");
  EXPECT_EQ(place_of_dmi("zone=eu-a", "QEMU").problem, "the DMI (QEMU) does not say the region");
  EXPECT_EQ(place_of_dmi("Amazon EC2", "Amazon EC2").problem, "the DMI (Amazon EC2) does not say the region");
  EXPECT_EQ(place_of_dmi("", "").problem, "there is no DMI");
}

TEST(FindPlace, cloud_init_first_then_the_dmi) {
  const test::TemporaryFolder folder;
  const PlaceFiles files{folder.path("instance-data.json"), folder.path("dmi")};
  EXPECT_EQ(find_place(files).problem, "there is no instance data of cloud-init, and there is no DMI");
  std::filesystem::create_directories(files.dmi);
  std::ofstream(files.dmi + "/sys_vendor") << "QEMU\n";
  EXPECT_EQ(find_place(files).problem,
            "there is no instance data of cloud-init, and the DMI (QEMU) does not say the region");
  std::ofstream(files.dmi + "/chassis_asset_tag") << "region=eu zone=eu-a\n";
  EXPECT_EQ(find_place(files).place, (model::Locality{.region = "eu", .zone = "eu-a"}));
  std::ofstream(files.instance_data) << data(R"("region": null)");
  EXPECT_EQ(find_place(files).source, "DMI");
  std::ofstream(files.instance_data) << data(R"("cloud_name": "aws", "region": "us-east-1")");
  EXPECT_EQ(find_place(files).source, "cloud-init (aws)");
}

}  // namespace
}  // namespace meshdns::discovery

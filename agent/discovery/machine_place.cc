#include "agent/discovery/machine_place.h"

#include <algorithm>
#include <utility>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/kubernetes/json_text.h"
#include "common/kubernetes/object_reader.h"
#include "common/kubernetes/place_name.h"

namespace meshdns::discovery {
namespace {

/// Returns a name that a cloud gives; clouds write "unknown" or "none" for one that they do not have.
std::string known(const std::string& text) {
  const std::string lower = ascii_lower(text);
  return lower == "unknown" || lower == "none" ? "" : text;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

MachinePlace nothing(std::string problem) {
  MachinePlace out;
  out.problem = std::move(problem);
  return out;
}

/// Returns the text of a small file; empty = it cannot be read.
std::string text_of(const std::string& path) {
  const auto text = read_file(path);
  return text ? std::string(trim(*text)) : "";
}

}  // namespace

MachinePlace place_of_instance_data(std::string_view json) {
  const auto object = kubernetes::parse_object(json);
  if (!object) return nothing("cloud-init's instance data cannot be read: " + object.error().message());
  std::string problem;
  const auto v1 = kubernetes::ObjectReader(*object, problem).object("v1");
  const std::string region = known(v1.text("region"));
  std::string zone = known(v1.text("availability_zone"));
  const std::string cloud = known(v1.text("cloud_name"));
  if (!problem.empty()) return nothing("cloud-init's instance data cannot be read: " + problem);
  if (is_number(zone)) zone = region + "-" + zone;
  MachinePlace out;
  out.place.region = kubernetes::place_name(region);
  const std::string source = cloud.empty() ? "cloud-init" : "cloud-init (" + printable(cloud) + ")";
  if (out.place.region.empty()) return nothing(source + " does not say the region");
  out.place.zone = kubernetes::place_name(zone);
  out.source = source;
  return out;
}

MachinePlace place_of_dmi(std::string_view asset_tag, std::string_view vendor) {
  std::string text(asset_tag);
  std::ranges::replace_if(
      text, [](char c) { return c == ',' || c == ';'; }, ' ');
  MachinePlace out;
  for (const std::string_view part : split(text, ' ')) {
    const auto name = [&](std::string_view key) {
      return part.starts_with(key) ? kubernetes::place_name(part.substr(key.size())) : std::string();
    };
    if (auto region = name("region="); !region.empty()) out.place.region = std::move(region);
    if (auto zone = name("zone="); !zone.empty()) out.place.zone = std::move(zone);
    if (auto subzone = name("subzone="); !subzone.empty()) out.place.subzone = std::move(subzone);
  }
  if (!out.place.region.empty()) {
    out.source = "DMI";
    return out;
  }
  return nothing(vendor.empty() ? "there is no DMI" : "the DMI (" + printable(vendor) + ") does not say the region");
}

MachinePlace find_place(const PlaceFiles& files) {
  const auto data = read_file(files.instance_data);
  auto by_cloud = data ? place_of_instance_data(*data) : nothing("there is no instance data of cloud-init");
  if (by_cloud.problem.empty()) return by_cloud;
  auto by_dmi = place_of_dmi(text_of(files.dmi + "/chassis_asset_tag"), text_of(files.dmi + "/sys_vendor"));
  if (by_dmi.problem.empty()) return by_dmi;
  return nothing(by_cloud.problem + ", and " + by_dmi.problem);
}

}  // namespace meshdns::discovery

#pragma once

#include <string>
#include <string_view>

#include "common/model/locality.h"

namespace meshdns::discovery {

/// Where this machine says that it is.
struct MachinePlace {
  model::Locality place;  // region, zone and subzone; the names are ours (kubernetes::place_name)
  std::string source;     // what says so: "cloud-init (aws)", "DMI"; empty = nothing does
  std::string problem;    // why nothing does; empty = something does

  friend bool operator==(const MachinePlace&, const MachinePlace&) = default;
};

/// The files that say where a machine is; parameters for tests.
struct PlaceFiles {
  std::string instance_data = "/run/cloud-init/instance-data.json";
  std::string dmi = "/sys/class/dmi/id";  // a folder
};

/// Reads the region and availability zone of cloud-init's instance data. A zone of Azure is a number inside the region;
/// Kubernetes calls it "<region>-<number>" there, and so does this.
///
/// source: cloud-init's documentation, "Instance metadata": the standardised keys `v1.*` of instance-data.json
MachinePlace place_of_instance_data(std::string_view json);

/// Reads the asset tag of a chassis, which whoever makes virtual machines may choose: "region=eu zone=eu-a". Keys are
/// region, zone and subzone, with blanks, commas or semicolons between.
/// vendor: of the machine ("Amazon EC2"), for the problem only: no cloud writes its region into the DMI
MachinePlace place_of_dmi(std::string_view asset_tag, std::string_view vendor);

/// Asks cloud-init first, then the DMI. Reads small local files only.
MachinePlace find_place(const PlaceFiles& files);

}  // namespace meshdns::discovery

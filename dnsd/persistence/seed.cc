#include "dnsd/persistence/seed.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/convert/object_convert.h"
#include "common/convert/record_convert.h"
#include "common/log/log.h"
#include "dnsd/federation/mirror.h"
#include "dnsd/persistence/persistence.h"

namespace meshdns::persistence {
namespace {

using catalog::RecordType;

bool is_wanted(const v1::Record& record, const SeedTarget& target) {
  const auto type = catalog::record_type_named(record.type());
  if (!type) return false;
  if (*type == RecordType::Node || *type == RecordType::NodeStatus) return !target.listed.contains(record.key());
  if (*type == RecordType::Endpoint) {
    const auto endpoint = convert::endpoint_of(record.key(), record.body(), TimePoint{});
    return endpoint && !target.listed.contains(endpoint->node);
  }
  if (!catalog::is_object(*type)) return true;
  const auto object = convert::object_of(record.body());
  return target.lacks_objects && object && object->metadata().manager() != Objects::kFileManager &&
         target.objects.find(*type, record.key()) == nullptr;
}

}  // namespace

std::optional<snapshot_file::KeptSet> newest_seed(const std::string& folder, std::int64_t unix_seconds) {
  std::optional<snapshot_file::KeptSet> newest;
  for (const char* name : {kFederationSnapshot, kReplicaSnapshot}) {
    auto found = snapshot_file::open_snapshot(folder + "/" + name, unix_seconds).newest;
    if (found && (!newest || found->age < newest->age)) newest = std::move(found);
  }
  return newest;
}

void restore_seed(snapshot_file::KeptSet seed, const SeedTarget& target, TimePoint now) {
  std::optional<std::uint32_t> told;
  const auto edit = [&](v1::Batch& part) {
    auto& records = *part.mutable_records();
    const auto unwanted = std::remove_if(records.begin(), records.end(),
                                         [&](const v1::Record& record) { return !is_wanted(record, target); });
    records.erase(unwanted, records.end());
    if (part.has_serial()) told = part.serial();
    part.clear_serial();  // clients may have seen a newer serial: pass_serial() below goes beyond it
    part.set_to(target.catalog.revision() + 1);
  };
  federation::Mirror mirror(target.catalog, [&target](const std::string& key, const v1::Object* object) {
    target.objects.mirror(key, object);
  });
  const auto records =
      snapshot_file::restore_records(snapshot_file::BlockReader(seed.content), mirror, now - seed.age, edit);
  if (!records) return log::error("snapshot damaged", {{"problem", records.error().message()}});
  if (told) target.catalog.pass_serial(*told + Persistence::kMostUnwritten);
  std::vector<std::string> doubted;
  for (const auto& [node, status] : target.catalog.records().statuses) {
    if (!status.silent) doubted.push_back(node);
  }
  for (const std::string& node : doubted) target.catalog.unmirror(RecordType::NodeStatus, node);
  target.catalog.mirrored(target.catalog.revision() + 1, now);
  log::warn("seeded from a snapshot", {{"records", *records}, {"age", seed.age}});
}

}  // namespace meshdns::persistence

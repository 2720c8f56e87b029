#pragma once

#include <string>

#include "dnsd/app/configuration.h"
#include "dnsd/app/lint_names.h"
#include "dnsd/app/record_counts.h"
#include "dnsd/app/reload.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/persistence/objects.h"
#include "dnsd/publish/publisher.h"

namespace meshdns::dnsd::app {

/// The mesh as this process knows it: the records, the objects of operators, and the answers that follow from both.
/// Everything here exists in every meshdnsd, whatever its roles are, and as long as the Daemon.
struct MeshState {
  const Clock& clock;
  catalog::Catalog& catalog;
  persistence::Objects& objects;
  publish::Publisher& publisher;
  RecordCounts& counts;
  LintNames& names;
};

/// The process itself, for code that shows it. Only the Daemon changes it.
struct ProcessState {
  const Configuration& configuration;
  std::string instance;  // "eu-1/host"
  TimePoint started{};
  bool ready = false;  // DNS is served from records that are known
  ReloadState reload{};
};

}  // namespace meshdns::dnsd::app

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dnsd/answers/answer_table.h"
#include "dnsd/answers/locator_compiler.h"
#include "dnsd/answers/reverse_compiler.h"
#include "dnsd/answers/settings.h"
#include "dnsd/answers/shapes.h"
#include "dnsd/answers/zone_parser.h"

namespace meshdns::answers {

/// What of the configuration tables are made from.
struct Base {
  Settings settings;
  std::shared_ptr<const Names> names;  // zones and static records, no hosts
};
/// static_records: parse_records(settings.static_records)
Base make_base(Settings settings, const std::vector<StaticRecord>& static_records);

/// What became different since the table before.
struct Update {
  std::optional<Base> base;                // the first one has it; hosts that stay below some zone stay
  std::optional<LocatorInput> locator;     // nodes or clusters became different; the first one has it
  std::optional<ClusterRecords> clusters;  // they, or what is measured of them, became different
  std::vector<topology::HostPlan> put;
  std::vector<std::string> erased;
  Version version;
  std::uint32_t serial = 1;  // see AnswerTable
  bool stale = false;        // see AnswerTable
  bool not_ready = false;    // see AnswerTable
};

/// What of a table does not follow from the configuration: hosts, as they were compiled, and where clients are.
struct KeptTable {
  LocatorInput locator;
  ClusterRecords clusters;
  std::vector<std::uint8_t> shapes;     // see AnswerTable
  std::vector<model::Locality> places;  // that the hosts were compiled for
  std::vector<Ref<const Host>> hosts;
  Version version;
  std::uint32_t serial = 1;
  bool stale = false;
};

/// The table again, without planning and deciding.
/// base: of the configuration with which it was compiled
/// returns: null where its clients would be elsewhere
std::shared_ptr<const AnswerTable> restore(KeptTable kept, Base base);

// How it works. A table is a root over pages of hosts; a new table copies the root and the pages that hold a changed
// host, and shares all others with the table before. An update contains the hosts that something has changed. Besides,
// all hosts depend on the clusters (distances, gateways) and on the places of clients (see Shapes). What of that
// changes makes hosts outdated: they are compiled anew from what the table itself knows of them, a few with every
// update, and stay as they are until then. A host that an update contains is not outdated any more.

/// Makes one table after the other. What an update does not touch is shared with the table before.
/// thread: one, on which the tables are destroyed too
class Compiler {
 public:
  Compiler() = default;
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  /// Makes the whole table: afterwards no host is outdated.
  std::shared_ptr<const AnswerTable> apply(Update update);

  // ---- the same step by step, each once for an update, in this order ----

  /// Takes all of the update except the hosts that it puts.
  void begin(Update& update);
  void put(const std::vector<topology::HostPlan>& plans);
  /// Compiles outdated hosts anew as long as there are any and go_on() holds, one at least.
  void renew(const std::function<bool()>& go_on);
  std::shared_ptr<const AnswerTable> finish(const Update& update);

  /// How many hosts are outdated.
  std::size_t outdated() const { return outdated_first_.size() + outdated_.size(); }
  /// How many answer sets a host gets, by the parts of localities that its policy looks at.
  std::map<std::uint8_t, std::size_t> view_counts() const { return shapes_.view_counts(); }
  /// The parts that every host looks at besides those of its policy.
  std::uint8_t extra_parts() const { return extra_parts_; }

 private:
  friend std::shared_ptr<const AnswerTable> restore(KeptTable kept, Base base);

  void set_base(Base base);
  void set_reverse_zones();
  /// Gives hosts the numbers of their zones among the new ones.
  void move_to_zones();
  void set_clusters(ClusterRecords clusters);
  void set_locator(const LocatorInput& input);
  void renew_shapes();
  void outdate_clusters(const std::set<std::string>& clusters);
  /// The next outdated host; kNone = there is none.
  std::uint32_t next_outdated();
  Ref<const Host> compiled(const topology::HostPlan& plan, const std::vector<std::uint8_t>& name, std::uint32_t zone,
                           const Host* before);
  void recompile(std::uint32_t number);
  void put(const topology::HostPlan& plan);
  void erase(const std::string& name);
  /// host: null = it is gone
  void replace(std::uint32_t number, Ref<const Host> host);
  /// Replaces a host by what was compiled just now, or takes it away: it is not outdated any more.
  void renew_host(std::uint32_t number, Ref<const Host> host);
  /// The number of a host; kNone = there is none of this name.
  std::uint32_t number_of(wire::NameBytes name) const;
  std::uint32_t new_number();
  void rebuild_names();

  Settings settings_;
  std::shared_ptr<const Names> static_names_;
  HostParts parts_;
  Shapes shapes_;
  std::uint8_t extra_parts_ = 0;                // that every shape has besides its policy's: where there are gateways
  AnswerTable table_;                           // the one before, on its way to the next
  std::map<std::size_t, HostPage*> fresh_;      // pages of no table yet
  std::map<std::string, std::uint32_t> added_;  // hosts that are not in table_.names yet, by name
  std::vector<std::uint32_t> free_;             // numbers
  std::uint32_t numbers_ = 0;                   // ever given
  bool names_changed_ = false;
  std::set<std::uint32_t> outdated_first_;  // hosts that may be reached in another way
  std::set<std::uint32_t> outdated_;        // the other hosts that are outdated
  ReverseCompiler reverse_{[this](std::uint32_t number) { return table_.host(number)->name(); }};
};

}  // namespace meshdns::answers

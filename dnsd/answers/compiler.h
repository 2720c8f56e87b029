#pragma once

#include <cstdint>
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
  std::optional<Base> base;                // the first one has it; with it every host is put anew
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

/// Makes one table after the other. What an update does not touch is shared with the table before.
/// thread: one, on which the tables are destroyed too
class Compiler {
 public:
  Compiler() = default;
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  std::shared_ptr<const AnswerTable> apply(Update update);

 private:
  friend std::shared_ptr<const AnswerTable> restore(KeptTable kept, Base base);
  /// A class of clients per view; hosts whose policies look at the same parts share them.
  struct Shape {
    std::uint8_t parts = 0;
    std::vector<model::Locality> views;  // sorted
    std::shared_ptr<const ClassOfPlace> of_place;
  };

  void set_base(Base base);
  void set_reverse_zones();
  /// Which hosts are to be compiled anew because of what they stand among.
  struct Dirty {
    bool all = false;
    std::set<std::uint32_t> shapes;  // whose views are others
    std::set<std::string> clusters;  // hosts with endpoints in these

    bool empty() const { return !all && shapes.empty() && clusters.empty(); }
  };
  void set_clusters(ClusterRecords clusters, Dirty& dirty);
  void set_locator(const LocatorInput& input, Dirty& dirty);
  /// Finds the views among the places; true = they are others than before.
  bool fill(Shape& shape) const;
  std::uint16_t shape_of(const model::Policy& policy);
  /// Another version of these hosts.
  void recompile(const Dirty& dirty);
  static bool is_among(const Host& host, const std::set<std::string>& clusters);
  Ref<const Host> compiled(const topology::HostPlan& plan, const std::vector<std::uint8_t>& name, std::uint32_t zone,
                           const Host* before);
  void put(const topology::HostPlan& plan);
  void erase(const std::string& name);
  void replace(std::uint32_t number, Ref<const Host> host);
  /// The number of a host; kNone = there is none of this name.
  std::uint32_t number_of(wire::NameBytes name) const;
  std::uint32_t new_number();
  void rebuild_names();

  Settings settings_;
  std::shared_ptr<const Names> static_names_;
  HostParts parts_;
  std::vector<Shape> shapes_;
  std::uint8_t extra_parts_ = 0;                // that every shape has besides its policy's: where there are gateways
  AnswerTable table_;                           // the one before, on its way to the next
  std::map<std::size_t, HostPage*> fresh_;      // pages of no table yet
  std::map<std::string, std::uint32_t> added_;  // hosts that are not in table_.names yet, by name
  std::vector<std::uint32_t> free_;             // numbers
  std::uint32_t numbers_ = 0;                   // ever given
  bool names_changed_ = false;
  ReverseCompiler reverse_{[this](std::uint32_t number) { return table_.host(number)->name(); }};
};

}  // namespace meshdns::answers

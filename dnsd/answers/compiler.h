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

/// The part of tables that follows from the configuration alone.
struct Base {
  AnswerSettings settings;
  std::shared_ptr<const Names> names;  // zones and static records, without hosts
};
/// Returns the base of tables with these settings.
/// static_records: parse_records(settings.static_records)
Base make_base(AnswerSettings settings, const std::vector<StaticRecord>& static_records);

/// The changes since the table before. The first update of a compiler has all optional parts.
struct Update {
  std::optional<Base> base;             // the configuration changed; hosts that are below a zone before and after stay
  std::optional<LocatorInput> locator;  // nodes or clusters changed
  std::optional<ClusterRecords> clusters;  // clusters, or distances measured between them, changed
  std::vector<topology::HostPlan> put;
  std::vector<std::string> erased;
  Version version;
  std::uint32_t serial = 1;  // see AnswerTable
  bool stale = false;        // see AnswerTable
  bool not_ready = false;    // see AnswerTable
};

/// The parts of a table that do not follow from the configuration: compiled hosts, and where clients are. A file keeps
/// them for the next start.
struct KeptTable {
  LocatorInput locator;
  ClusterRecords clusters;
  std::vector<std::uint8_t> shapes;     // see AnswerTable
  std::vector<model::Locality> places;  // the places of clients for which the hosts were compiled
  std::vector<Ref<const Host>> hosts;
  Version version;
  std::uint32_t serial = 1;
  bool stale = false;
};

/// Returns the table of a file, without planning or deciding for any host.
/// base: of the configuration with which the kept table was compiled
/// returns: null if this configuration places clients elsewhere
std::shared_ptr<const AnswerTable> restore(KeptTable kept, Base base);

// How it works. A table is immutable and shares everything that has not changed with the table before.
//
//   AnswerTable          the root: copied for every table
//    |- names            hash of a name -> host number or node    rebuilt when a name came or went
//    |- where            client -> place                          rebuilt when nodes or clusters changed
//    |- pages[i]         64 hosts, by number                      copied when one of the hosts changed
//    |   `- Host         answer sets of one host                  compiled when put or outdated
//    `- reverse          address -> host number                   its pages are copied like those of hosts
//
// A change of health therefore costs one compiled host, one page and the root, whatever the number of hosts. The
// compiler works on a table of its own (table_): the first change of a page copies the page (fresh_), further ones
// until finish() change this copy in place.
//
// Put and outdated. An update names the hosts that a change touches; they are in the next table. In addition, every
// host depends on the clusters (distances, gateways) and on the places of clients (Shapes). When these change, hosts
// become outdated: they stay as they are and are compiled again from what the table itself knows of them (plan_of), a
// few with every update. Hosts that may be reached in another way go first (outdated_first_), since their clients may
// not reach what is answered. A host that an update puts is not outdated any more.
//
// Numbers. A host keeps its number for life, so that names and the reverse index need not change with it. The numbers
// of erased hosts are given again.
//
// Not done: names are not indexed incrementally. A name that comes or goes rebuilds the whole index, because a hash
// table that old tables still read cannot be changed, and names change seldom.

/// Compiles one table after the other. Belongs to the compile thread, and does not publish tables itself.
/// thread: one, on which the tables are destroyed, too (their parts count references without atomics)
class Compiler {
 public:
  Compiler() = default;
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  /// Compiles the next table with all hosts that are outdated.
  std::shared_ptr<const AnswerTable> apply(Update update);

  // ---- the steps of apply(): each once for an update, in this order ----

  /// Takes over the whole update except the hosts that it puts.
  void begin(Update& update);
  /// Compiles these hosts and puts them into the next table.
  void put(const std::vector<topology::HostPlan>& plans);
  /// Compiles outdated hosts again while go_on() returns true, at least one if there is any.
  void renew(const std::function<bool()>& go_on);
  /// Returns the next table, which contains all changes since the last call.
  std::shared_ptr<const AnswerTable> finish(const Update& update);

  /// Returns the number of outdated hosts.
  std::size_t outdated() const { return outdated_first_.size() + outdated_.size(); }
  /// Returns the number of answer sets that a host may have, by the parts of localities that its policy looks at.
  std::map<std::uint8_t, std::size_t> view_counts() const { return shapes_.view_counts(); }
  /// Returns the parts of localities that every host depends on besides those of its policy: network and cluster if
  /// there are gateways.
  std::uint8_t extra_parts() const { return extra_parts_; }

 private:
  friend std::shared_ptr<const AnswerTable> restore(KeptTable kept, Base base);

  void set_base(Base base);
  void set_reverse_zones();
  /// Gives each host the number of its zone among the new zones, and erases hosts that are in none.
  void move_to_zones();
  void set_clusters(ClusterRecords clusters);
  void set_locator(const LocatorInput& input);
  /// Notes hosts whose shape has other views now as outdated.
  void renew_shapes();
  /// Notes hosts with endpoints in these clusters as outdated.
  /// clusters: names in lower case
  void outdate_clusters(const std::set<std::string>& clusters);
  /// Returns the number of the next outdated host; kNone = there is none.
  std::uint32_t next_outdated();
  /// Compiles a host for the current views of its shape.
  /// before: the host as it was compiled last, whose panic goes on; null = nothing goes on
  Ref<const Host> compiled(const topology::HostPlan& plan, const std::vector<std::uint8_t>& name, std::uint32_t zone,
                           const Host* before);
  /// Compiles a host again from the plan that the table knows of it.
  void recompile(std::uint32_t number);
  void put(const topology::HostPlan& plan);
  void erase(const std::string& name);
  /// Replaces a host in the next table, and keeps counts, shapes and the reverse index equal.
  /// host: null = the host is gone
  void replace(std::uint32_t number, Ref<const Host> host);
  /// Replaces a host by a newly compiled one, or by none: the host is not outdated any more.
  void renew_host(std::uint32_t number, Ref<const Host> host);
  /// Returns the number of a host; kNone = no host has the name.
  std::uint32_t number_of(wire::NameBytes name) const;
  std::uint32_t new_number();
  void rebuild_names();

  AnswerSettings settings_;
  std::shared_ptr<const Names> static_names_;
  HostParts parts_;
  Shapes shapes_;
  std::uint8_t extra_parts_ = 0;                // in every shape besides its policy's parts, where there are gateways
  AnswerTable table_;                           // the next table as far as it is built
  std::map<std::size_t, HostPage*> fresh_;      // copied since the last table: may be changed in place
  std::map<std::string, std::uint32_t> added_;  // hosts that table_.names does not have yet, by name
  std::vector<std::uint32_t> free_;             // numbers of erased hosts, to be given again
  std::uint32_t numbers_ = 0;                   // how many numbers were ever given
  bool names_changed_ = false;
  std::set<std::uint32_t> outdated_first_;  // outdated hosts that may be reached in another way
  std::set<std::uint32_t> outdated_;        // all other outdated hosts
  ReverseCompiler reverse_{[this](std::uint32_t number) { return table_.host(number)->name(); }};
};

}  // namespace meshdns::answers

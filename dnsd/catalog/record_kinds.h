#pragma once

// The one table of the kinds of records: RecordKinds.
//
// How it works: each row is a type with constants, and the list visits its rows. Code that treats all kinds alike is a
// generic lambda, which the compiler instantiates once for each row:
//
//   RecordKinds::visit(type, [&](auto kind) { return (records.*kind.kMember).contains(kind.key_of(key)); });
//   RecordKinds::each([&](auto kind) { size += (records.*kind.kMember).size(); });
//
// A new kind needs a member of model::Records, a row here (its place in the enum is its place in a complete set), a
// pair of functions in dnsd/federation/record_codec.cc, and a member of model::RecordObserver. What is left out does
// not compile. A kind whose records need more than that when they are erased or restored has a branch where that is
// done; those places name the kind.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/base/check.h"
#include "common/model/record_observer.h"
#include "common/model/records.h"

namespace meshdns::catalog {

/// The types of records, in the order in which a complete set is sent: a node before its endpoints.
enum class RecordType : std::uint8_t {
  Node,
  NodeStatus,
  Endpoint,
  Service,
  VirtualDestination,
  Cluster,
  ClusterStatus,
  ExternalName,
  Override,
};

/// Returns the key of a service's record: "namespace/name".
std::string service_key_text(const model::ServiceKey& key);
/// Returns the service of a record's key; the inverse of service_key_text().
model::ServiceKey service_key_of(const std::string& text);

/// The columns of a row. kRecords: the member of model::Records that holds the records.
template <RecordType kRecordType, auto kRecords>
struct RecordKind {
  static constexpr RecordType kType = kRecordType;
  static constexpr auto kMember = kRecords;
  /// Whether the records are operators' objects. The catalog holds only their meaning; their text as it was applied is
  /// kept by whoever stores objects. All other kinds are encoded from the catalog, and kept in the store.
  static constexpr bool kObject = false;

  /// Returns the key in the member for the key of a record.
  static const std::string& key_of(const std::string& key) { return key; }
  /// Returns the key of a record for the key in the member.
  static const std::string& text_of(const std::string& key) { return key; }
};

/// The columns of operators' objects.
template <RecordType kRecordType, auto kRecords>
struct ObjectKind : RecordKind<kRecordType, kRecords> {
  static constexpr bool kObject = true;
};

/// Returns the entry of a record: its key in the member, and the record; null = there is none.
template <class Kind>
auto find(Kind kind, const model::Records& records, const std::string& key) {
  const auto& all = records.*kind.kMember;
  const auto found = all.find(kind.key_of(key));
  return found == all.end() ? nullptr : &*found;
}

// kName: the name by which the protocol and the store know the kind
// changed(): calls the observer after a record came, changed or went

struct NodeKind : RecordKind<RecordType::Node, &model::Records::nodes> {
  static constexpr std::string_view kName = "Node";
  static void changed(model::RecordObserver& observer, const std::string& key) { observer.node_changed(key); }
};
struct NodeStatusKind : RecordKind<RecordType::NodeStatus, &model::Records::statuses> {
  static constexpr std::string_view kName = "NodeStatus";
  static void changed(model::RecordObserver& observer, const std::string& key) { observer.node_status_changed(key); }
};
struct EndpointKind : RecordKind<RecordType::Endpoint, &model::Records::endpoints> {
  static constexpr std::string_view kName = "Endpoint";
  /// Does nothing: the catalog calls the observer where it has the endpoint, before and after the change.
  static void changed(model::RecordObserver&, const std::string&) {}
};
struct ServiceKind : RecordKind<RecordType::Service, &model::Records::services> {
  static constexpr std::string_view kName = "Service";
  static model::ServiceKey key_of(const std::string& key) { return service_key_of(key); }
  static std::string text_of(const model::ServiceKey& key) { return service_key_text(key); }
  static void changed(model::RecordObserver& observer, const std::string& key) {
    observer.service_changed(service_key_of(key));
  }
};
struct VirtualDestinationKind : ObjectKind<RecordType::VirtualDestination, &model::Records::destinations> {
  static constexpr std::string_view kName = "VirtualDestination";
  static void changed(model::RecordObserver& observer, const std::string& key) { observer.destination_changed(key); }
};
struct ClusterKind : ObjectKind<RecordType::Cluster, &model::Records::clusters> {
  static constexpr std::string_view kName = "Cluster";
  static void changed(model::RecordObserver& observer, const std::string& key) { observer.cluster_changed(key); }
};
struct ClusterStatusKind : RecordKind<RecordType::ClusterStatus, &model::Records::cluster_statuses> {
  static constexpr std::string_view kName = "ClusterStatus";
  static void changed(model::RecordObserver& observer, const std::string& key) { observer.cluster_status_changed(key); }
};
struct ExternalNameKind : RecordKind<RecordType::ExternalName, &model::Records::external_names> {
  static constexpr std::string_view kName = "ExternalName";
  static void changed(model::RecordObserver& observer, const std::string& key) { observer.external_name_changed(key); }
};
struct OverrideKind : ObjectKind<RecordType::Override, &model::Records::overrides> {
  static constexpr std::string_view kName = "Override";
  /// Does nothing: the catalog calls the observer where it has the override, as it was and as it is.
  static void changed(model::RecordObserver&, const std::string&) {}
};

/// A list of rows.
/// requires: the rows are in the order of their types, beginning with 0
template <class... Kinds>
class KindList {
 public:
  static constexpr std::size_t kSize = sizeof...(Kinds);

  /// Calls f with each row, in their order.
  template <class F>
  static constexpr void each(F f) {
    (f(Kinds{}), ...);
  }
  /// Calls f with the row of a type.
  /// requires: the list has the type; f returns types that have a common one
  /// returns:  what f returns
  template <class F>
  static auto visit(RecordType type, F f) {
    using Result = std::common_type_t<std::invoke_result_t<F&, Kinds>...>;
    MESHDNS_CHECK(static_cast<std::size_t>(type) < kSize);
    if constexpr (std::is_void_v<Result>) {
      ((Kinds::kType == type ? f(Kinds{}) : void()), ...);
    } else {
      std::optional<Result> out;
      ((Kinds::kType == type ? void(out.emplace(f(Kinds{}))) : void()), ...);
      return *std::move(out);
    }
  }
  static std::string_view name_of(RecordType type) {
    return visit(type, [](auto kind) { return kind.kName; });
  }
  /// returns: nothing = no such kind
  static std::optional<RecordType> named(std::string_view name) {
    std::optional<RecordType> out;
    each([&](auto kind) {
      if (kind.kName == name) out = kind.kType;
    });
    return out;
  }

 private:
  static constexpr bool in_order() {
    std::size_t at = 0;
    return ((static_cast<std::size_t>(Kinds::kType) == at++) && ...);
  }
  static_assert(in_order());
};

using RecordKinds = KindList<NodeKind, NodeStatusKind, EndpointKind, ServiceKind, VirtualDestinationKind, ClusterKind,
                             ClusterStatusKind, ExternalNameKind, OverrideKind>;

inline constexpr std::size_t kRecordTypes = RecordKinds::kSize;
static_assert(kRecordTypes == static_cast<std::size_t>(RecordType::Override) + 1);

/// Returns whether records of this type are operators' objects.
inline bool is_object(RecordType type) {
  return RecordKinds::visit(type, [](auto kind) { return kind.kObject; });
}
/// Returns the name by which the protocol and the store know a type, like "NodeStatus".
inline std::string_view record_type_name(RecordType type) { return RecordKinds::name_of(type); }
/// Returns the type of this name; nothing = no such type.
inline std::optional<RecordType> record_type_named(std::string_view name) { return RecordKinds::named(name); }

}  // namespace meshdns::catalog

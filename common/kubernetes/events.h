#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <variant>

namespace meshdns::kubernetes {

/// What happened to an object of the Kubernetes API.
enum class EventType : std::uint8_t { Added, Modified, Deleted };

/// One object of the API as it is now; of a deleted object, its last state. An object of an initial list is Added, and
/// may lack `kind` and `apiVersion`.
///
/// The object and everything in it share one block of memory, which lives until the last of them is destroyed. The
/// consumer may keep or move parts, but should copy what it keeps for long into types of its own.
struct Event {
  EventType type{};
  boost::json::object object;
};

/// Says that an initial list begins: the events until Listed are the objects that exist. Nothing is withdrawn yet: the
/// objects of the list before are still to be served. A second Begin without Listed in between means that the list
/// broke off and starts again.
struct Begin {};

/// Says that the initial list is complete. Each object whose UID was in no event since the last Begin exists no more.
/// The events from here on are changes.
struct Listed {};

/// What a consumer of one kind of objects is told, in this order:
///
///   Begin  Event*  Listed  Event*  [Begin  Event*  Listed  Event* ...]
///
/// A Deleted event may come within the initial list too. An Added or Modified event may repeat what is known already,
/// so an object is replaced by its newest event, whatever the event's type. Between Begin and Listed may lie minutes,
/// while the API server does not answer.
using Notice = std::variant<Begin, Event, Listed>;
using Consumer = std::function<void(const Notice&)>;

}  // namespace meshdns::kubernetes

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "common/model/locality.h"
#include "dnsd/answers/answer_table.h"

namespace meshdns::answers {

// How it works. A policy looks at some parts of a client's locality. Clients that agree in these parts form a class,
// and a host has one answer set for each class: for each of the shape's views. All hosts whose policies look at the
// same parts share a shape.
//
// When clients come from new places, a shape needs other views, and with them every host needs other sets. Hosts cannot
// all be compiled at once, so the shape stays as it is for the hosts that were compiled for it, a new shape of the
// same parts becomes the current one, and the hosts move to it one after the other. Until a host has moved, clients
// of a place that its shape does not know get what clients at the server's own place get. A shape of the same parts is
// replaced again only when nobody uses the one before, so that there are two of them at most.

/// The classes of clients that a table tells apart. Pure.
class Shapes {
 public:
  /// The current shape for these parts, made if there is none.
  std::uint16_t of(std::uint8_t parts);
  /// Clients are in these places from now on, and nowhere else; own: what a place that is not known counts as.
  void set_places(const std::vector<model::Locality>& places, const model::Locality& own);
  /// No shape is current any more: policies look at other parts from now on.
  void retire_all();
  /// Replaces each current shape whose views are not those of the places, unless its predecessor is still in use.
  /// returns: whether the hosts of some shape are to be compiled anew: those for which is_current() is false
  bool renew();

  bool is_current(std::uint16_t shape) const { return shapes_[shape].current; }
  const std::vector<model::Locality>& views(std::uint16_t shape) const { return shapes_[shape].views; }
  void add_host(std::uint16_t shape) { ++shapes_[shape].hosts; }
  void remove_host(std::uint16_t shape) { --shapes_[shape].hosts; }
  /// How many views the current shapes have, by their parts.
  std::map<std::uint8_t, std::size_t> view_counts() const;
  void write(AnswerTable& table) const;
  /// Begins with the shapes of a table that was kept.
  void restore(const std::vector<std::uint8_t>& parts);

 private:
  struct Shape {
    std::uint8_t parts = 0;
    bool current = true;
    bool outdated = false;               // its views are not those of the places
    std::uint32_t hosts = 0;             // that were compiled for it
    std::vector<model::Locality> views;  // sorted
    std::shared_ptr<const ClassOfPlace> of_place;
  };

  std::uint16_t make(std::uint8_t parts);
  std::vector<model::Locality> views_of(std::uint8_t parts) const;
  void place_clients(Shape& shape) const;

  std::vector<Shape> shapes_;  // by number; one without hosts that is not current is free
  std::vector<model::Locality> places_;
  model::Locality own_;
};

}  // namespace meshdns::answers

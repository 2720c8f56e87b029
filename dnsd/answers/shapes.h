#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include "common/model/locality.h"
#include "dnsd/answers/answer_table.h"

namespace meshdns::answers {

// How it works. A policy looks at some parts of a client's locality. Clients that agree in these parts form a class,
// and a host has one answer set for each class. All hosts whose policies look at the same parts share a shape:
//
//   shape 0   parts {zone, cluster}   views  eu-a/eu-1  eu-b/eu-1  us-a/us-1     sorted
//                                     class      0          1          2
//             of_place                place 0 -> class 1, place 1 -> class 0, ...
//
//   answer:   place of the client -> classes[host.shape][place] -> Set of the host
//
// When clients come from new places, a shape needs other views, and all its hosts need other sets. Compiling all of
// them at once would take too long. So the old shape stays for the hosts that were compiled for it, a new shape of the
// same parts becomes the current one, and the hosts move to it a few at a time. Until a host has moved, clients from a
// place that its shape does not know get the answers for the server's own place. A shape is replaced again only when no
// host uses its predecessor, so that at most two shapes of the same parts exist.

/// Numbers the classes of clients that a table tells apart. Used by the compiler only. Pure.
class Shapes {
 public:
  /// The most classes of a shape: a class is a number of 16 bits. Clients beyond them get the answers for the server's
  /// own place. Only a rung or fence of nodes can have so many.
  static constexpr std::size_t kMostViews = std::numeric_limits<std::uint16_t>::max();

  /// Returns the current shape for these parts, and adds it if there is none.
  std::uint16_t of(std::uint8_t parts);
  /// Sets all places where clients can be.
  /// own: the server's place, which stands for places that a shape does not know
  void set_places(const std::vector<model::Locality>& places, const model::Locality& own);
  /// Makes no shape current, because hosts will depend on other parts of localities.
  void retire_all();
  /// Replaces each current shape whose views do not fit the places, unless hosts still use its predecessor.
  /// returns: true = a shape was replaced: hosts whose shape is not current have to be compiled again
  bool renew();

  /// Returns whether new hosts are compiled for the shape.
  bool is_current(std::uint16_t shape) const { return shapes_[shape].current; }
  /// Returns the localities that the shape tells apart, by class.
  const std::vector<model::Locality>& views(std::uint16_t shape) const { return shapes_[shape].views; }
  /// Count the hosts that were compiled for a shape; a shape without hosts that is not current is given again.
  void add_host(std::uint16_t shape) { ++shapes_[shape].hosts; }
  void remove_host(std::uint16_t shape) { --shapes_[shape].hosts; }
  /// Returns the number of views of each current shape, by its parts.
  std::map<std::uint8_t, std::size_t> view_counts() const;
  /// Writes the shapes into a table.
  void write(AnswerTable& table) const;
  /// Adds the shapes of a table that was kept.
  void restore(const std::vector<std::uint8_t>& parts);

 private:
  /// The classes of clients for policies that look at the same parts.
  struct Shape {
    std::uint8_t parts = 0;
    bool current = true;
    bool outdated = false;               // its views do not fit the places
    std::uint32_t hosts = 0;             // compiled for this shape
    std::vector<model::Locality> views;  // sorted: the index is the class
    std::shared_ptr<const ClassOfPlace> of_place;
  };

  std::uint16_t make(std::uint8_t parts);
  std::vector<model::Locality> views_of(std::uint8_t parts) const;
  void place_clients(Shape& shape) const;

  std::vector<Shape> shapes_;  // by number; a shape that is neither current nor used by a host is free
  std::vector<model::Locality> places_;
  model::Locality own_;
};

}  // namespace meshdns::answers

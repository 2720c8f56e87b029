#include "dnsd/answers/shapes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "dnsd/topology/view.h"

namespace meshdns::answers {

std::uint16_t Shapes::of(std::uint8_t parts) {
  const auto known =
      std::ranges::find_if(shapes_, [&](const Shape& shape) { return shape.current && shape.parts == parts; });
  return known != shapes_.end() ? static_cast<std::uint16_t>(known - shapes_.begin()) : make(parts);
}

std::uint16_t Shapes::make(std::uint8_t parts) {
  auto at = std::ranges::find_if(shapes_, [](const Shape& shape) { return !shape.current && shape.hosts == 0; });
  if (at == shapes_.end()) at = shapes_.emplace(at);
  *at = {};
  at->parts = parts;
  at->views = views_of(parts);
  place_clients(*at);
  return static_cast<std::uint16_t>(at - shapes_.begin());
}

std::vector<model::Locality> Shapes::views_of(std::uint8_t parts) const {
  std::vector<model::Locality> out;
  for (const model::Locality& place : places_) out.push_back(topology::projected(place, parts));
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (out.size() > kMostViews) out.resize(kMostViews);
  return out;
}

void Shapes::place_clients(Shape& shape) const {
  const auto class_of = [&](const model::Locality& place) -> std::optional<std::uint16_t> {
    const model::Locality view = topology::projected(place, shape.parts);
    const auto at = std::ranges::lower_bound(shape.views, view);
    if (at == shape.views.end() || !(*at == view)) return std::nullopt;
    return static_cast<std::uint16_t>(at - shape.views.begin());
  };
  const std::uint16_t unknown = class_of(own_).value_or(0);
  ClassOfPlace classes;
  for (const model::Locality& place : places_) classes.push_back(class_of(place).value_or(unknown));
  shape.of_place = std::make_shared<const ClassOfPlace>(std::move(classes));
}

void Shapes::set_places(const std::vector<model::Locality>& places, const model::Locality& own) {
  places_ = places;
  own_ = own;
  for (Shape& shape : shapes_) {
    if (!shape.current && shape.hosts == 0) continue;
    std::vector<model::Locality> wanted = views_of(shape.parts);
    shape.outdated = shape.views != wanted;
    if (shape.hosts == 0) {
      shape.views = std::move(wanted);
      shape.outdated = false;
    }
    place_clients(shape);
  }
}

void Shapes::retire_all() {
  for (Shape& shape : shapes_) shape.current = false;
}

bool Shapes::renew() {
  bool renewed = false;
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    if (!shapes_[i].current || !shapes_[i].outdated) continue;
    const std::uint8_t parts = shapes_[i].parts;
    const bool moving = std::ranges::any_of(
        shapes_, [&](const Shape& other) { return !other.current && other.parts == parts && other.hosts > 0; });
    if (moving) continue;
    shapes_[i].current = false;
    make(parts);
    renewed = true;
  }
  return renewed;
}

std::map<std::uint8_t, std::size_t> Shapes::view_counts() const {
  std::map<std::uint8_t, std::size_t> out;
  for (const Shape& shape : shapes_) {
    if (shape.current) out[shape.parts] = shape.views.size();
  }
  return out;
}

void Shapes::write(AnswerTable& table) const {
  table.classes.clear();
  table.shapes.clear();
  for (const Shape& shape : shapes_) {
    table.classes.push_back(shape.of_place);
    table.shapes.push_back(shape.parts);
  }
}

void Shapes::restore(const std::vector<std::uint8_t>& parts) {
  for (const std::uint8_t of : parts) shapes_.emplace_back().parts = of;
}

}  // namespace meshdns::answers

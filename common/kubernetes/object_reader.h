#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::kubernetes {

/// Reads the members of an object of the Kubernetes API. A member that is missing or null has its empty value, because
/// the API leaves out what is empty. A member of another type than expected is a problem: the first one is kept, and
/// the caller looks at it once, after it has read everything.
///
///   std::string problem;
///   const ObjectReader pod(object, problem);
///   const std::string uid = pod.object("metadata").text("uid");
///   if (!problem.empty()) ...   // "metadata.uid: expected a text (got a number)"
class ObjectReader {
 public:
  /// object:  must outlive this and every reader that this returns
  /// problem: gets the first problem, with the path of the member; must outlive the same
  ObjectReader(const boost::json::object& object, std::string& problem) : ObjectReader(object, problem, "") {}

  std::string text(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// Returns a whole number of 0 to `most`; any other number is a problem.
  std::uint64_t number(std::string_view name, std::uint64_t most) const;
  /// Returns a time like "2026-11-29T16:00:00Z" in seconds since 1970; 0 = missing.
  std::int64_t time(std::string_view name) const;
  /// Returns the members of a mapping of texts, such as labels.
  std::map<std::string, std::string> texts(std::string_view name) const;
  ObjectReader object(std::string_view name) const;
  /// Returns the objects of a list.
  std::vector<ObjectReader> list(std::string_view name) const;
  /// Returns the texts of a list.
  std::vector<std::string> list_of_texts(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Takes a problem of a member, unless there was one before.
  void fail(std::string_view name, std::string_view what) const;

 private:
  ObjectReader(const boost::json::object& object, std::string& problem, std::string path)
      : object_(&object), problem_(&problem), path_(std::move(path)) {}

  /// Returns a member; null = it is missing or null.
  const boost::json::value* find(std::string_view name) const;
  const boost::json::array& array(std::string_view name) const;
  std::string path_of(std::string_view name) const;
  void fail_at(const std::string& path, std::string_view what) const;

  const boost::json::object* object_;
  std::string* problem_;
  std::string path_;  // of the object; empty = it is the outermost
};

}  // namespace meshdns::kubernetes

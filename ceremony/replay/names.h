// NamePairs compares names that are new in each run: object ids, public keys, serial
// numbers and digests. They differ between a record and its replay, but must still mean
// the same. Each recorded name must stand for the same replayed name throughout, and
// the other way round. So a call with a wrong key is found although all keys differ.
#ifndef CEREMONY_REPLAY_NAMES_H_
#define CEREMONY_REPLAY_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace ceremony::replay {

enum class Sameness : std::uint8_t {
  kSame,       // except for paired names, and times
  kOtherName,  // a name in it is paired with another name elsewhere
  kDifferent,  // anything else
};

class NamePairs final {
 public:
  NamePairs();

  // Pair pairs two names; false when one of them already has another partner.
  bool Pair(const std::string& recorded, const std::string& replayed);

  // Rename gives the partner of `before`, if it has one, to `after`.
  void Rename(const std::string& before, const std::string& after);

  // Compare compares two texts. The words and signs must be the same, except for times and for names: hexadecimal of
  // eight digits or more, base64, and the words of a digest that is read aloud. Names must have equal lengths, unless
  // they hold a signature.
  Sameness Compare(std::string_view recorded, std::string_view replayed);

  // Numbers of comparisons in which a name, or a time, differed.
  std::size_t names() const { return names_; }
  std::size_t times() const { return times_; }
  void CountTime() { ++times_; }

 private:
  // nullopt: they are not names of the same sort.
  std::optional<Sameness> CompareNames(std::string_view recorded, std::string_view replayed);

  std::set<std::string, std::less<>> spoken_;  // PGP words, lower case
  std::map<std::string, std::string> replayed_of_, recorded_of_;
  std::size_t names_ = 0;
  std::size_t times_ = 0;
};

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_NAMES_H_

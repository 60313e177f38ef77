// NamePairs compares what is made anew each time: object ids, public keys, serial
// numbers and digests differ between a record and its replay, and must still mean
// the same. Each recorded name has to stand for the same replayed one throughout,
// and the other way round; so a call with another key is found although every key
// is another one.
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
  kSame,       // but for names that stand for each other, and times
  kOtherName,  // a name in it stands for something else elsewhere
  kDifferent,  // it says something else
};

class NamePairs final {
 public:
  NamePairs();

  // Pair says that two names stand for each other; false when one of them already stands for something else.
  bool Pair(const std::string& recorded, const std::string& replayed);

  // Rename says that from now on `after` stands for what `before` stood for; nothing, if that stood for nothing.
  void Rename(const std::string& before, const std::string& after);

  // Compare holds two texts against each other: the same words and signs, but for names (hexadecimal of eight digits
  // or more and base64, of equal length, but for what holds a signature; words of a digest that is read aloud) and
  // times.
  Sameness Compare(std::string_view recorded, std::string_view replayed);

  // How many comparisons met another name, and another time.
  std::size_t names() const { return names_; }
  std::size_t times() const { return times_; }
  void CountTime() { ++times_; }

 private:
  // nullopt: they are no names of one sort.
  std::optional<Sameness> CompareNames(std::string_view recorded, std::string_view replayed);

  std::set<std::string, std::less<>> spoken_;  // PGP words, lower case
  std::map<std::string, std::string> replayed_of_, recorded_of_;
  std::size_t names_ = 0;
  std::size_t times_ = 0;
};

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_NAMES_H_

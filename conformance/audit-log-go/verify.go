// Verifies a Comity log directory with Go's own transparency log packages, sharing no code with Comity:
// signatures of two checkpoints, every tile, inclusion of every entry, consistency between the two sizes.
//
//	go run verify.go DIRECTORY VERIFIER-KEY OLDER-CHECKPOINT-FILE
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: verify DIRECTORY VERIFIER-KEY OLDER-CHECKPOINT-FILE")
		os.Exit(2)
	}
	if err := verify(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}

func verify(directory, verifierKey, olderFile string) error {
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(filepath.Join(directory, "checkpoint"), verifier)
	if err != nil {
		return err
	}
	older, err := openCheckpoint(olderFile, verifier)
	if err != nil {
		return err
	}
	// TileHashReader authenticates every tile that it reads against the root hash.
	reader := tlog.TileHashReader(tree, &tileFiles{directory: directory, tiles: map[string][]byte{}})
	if err := verifyEntries(directory, tree, reader); err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, older.N, reader)
	if err != nil {
		return fmt.Errorf("consistency proof: %w", err)
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash); err != nil {
		return fmt.Errorf("consistency from %d to %d: %w", older.N, tree.N, err)
	}
	fmt.Printf("verified %d entries, consistent with %d\n", tree.N, older.N)
	return nil
}

// openCheckpoint verifies a signed checkpoint; its origin must be the name of the key.
func openCheckpoint(path string, verifier note.Verifier) (tlog.Tree, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", path, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("%s: not a checkpoint of %s", path, verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("%s: malformed root hash", path)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// verifyEntries proves the inclusion of every entry of every bundle.
func verifyEntries(directory string, tree tlog.Tree, reader tlog.HashReader) error {
	for start := int64(0); start < tree.N; start += tileWidth {
		width := min64(tileWidth, tree.N-start)
		entries, err := readBundle(directory, start/tileWidth, int(width))
		if err != nil {
			return err
		}
		for i, entry := range entries {
			index := start + int64(i)
			proof, err := tlog.ProveRecord(tree.N, index, reader)
			if err != nil {
				return fmt.Errorf("inclusion proof of entry %d: %w", index, err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
				return fmt.Errorf("inclusion of entry %d: %w", index, err)
			}
			if !bytes.HasPrefix(entry, []byte("comity/v1 ")) {
				return fmt.Errorf("entry %d is not a Comity event", index)
			}
		}
	}
	return nil
}

// readBundle reads an entry bundle: big-endian uint16 lengths, each followed by an entry.
func readBundle(directory string, index int64, width int) ([][]byte, error) {
	tile := tlog.Tile{H: tileHeight, L: -1, N: index, W: width}
	data, err := os.ReadFile(filepath.Join(directory, filepath.FromSlash(tilePath(tile))))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 {
			return nil, errors.New("bundle ends within a length")
		}
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return nil, errors.New("bundle ends within an entry")
		}
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	if len(entries) != width {
		return nil, fmt.Errorf("bundle %d has %d entries, not %d", index, len(entries), width)
	}
	return entries, nil
}

// tilePath turns the path of Go's checksum database into that of c2sp.org/tlog-tiles: no height, "entries" for data.
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

// tileFiles reads tiles from the directory and keeps them.
type tileFiles struct {
	directory string
	tiles     map[string][]byte
}

func (files *tileFiles) Height() int { return tileHeight }

func (files *tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := tilePath(tile)
		if known, ok := files.tiles[path]; ok {
			data[i] = known
			continue
		}
		read, err := os.ReadFile(filepath.Join(files.directory, filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		if len(read) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path, len(read))
		}
		files.tiles[path] = read
		data[i] = read
	}
	return data, nil
}

func (files *tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func min64(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

package python

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// findInterpreter returns the interpreter of Config.Python: a program, the
// folder of a virtual environment, or "".
func findInterpreter(given, dir string) (string, error) {
	if given != "" {
		if info, err := os.Stat(given); err == nil && info.IsDir() {
			return inEnvironment(given)
		}
		path, err := exec.LookPath(given)
		if err != nil {
			return "", fmt.Errorf("python: the interpreter: %w", err)
		}
		return filepath.Abs(path)
	}
	if env := os.Getenv("VIRTUAL_ENV"); env != "" {
		return inEnvironment(env)
	}
	for _, name := range []string{".venv", "venv"} {
		if path, err := inEnvironment(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath("python3")
	if err != nil {
		return "", fmt.Errorf("python: no virtual environment was found, and no interpreter: %w", err)
	}
	return path, nil
}

// inEnvironment returns the interpreter of a virtual environment. The link is
// not followed: by its place the interpreter knows its packages.
func inEnvironment(folder string) (string, error) {
	path := filepath.Join(folder, "bin", "python")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("python: %s is no virtual environment: %w", folder, err)
	}
	return filepath.Abs(path)
}

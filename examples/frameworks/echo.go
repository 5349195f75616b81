package main

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

func echoHandler(pause func()) http.Handler {
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("X-Framework", "echo")
			return next(c)
		}
	})
	e.GET("/hello/:name", func(c echo.Context) error {
		return c.String(http.StatusOK, "Hello, "+c.Param("name")+"!\n")
	})
	e.POST("/sum", func(c echo.Context) error {
		var in numbers
		if err := c.Bind(&in); err != nil {
			return err
		}
		return c.JSON(http.StatusOK, result{in.A + in.B})
	})
	e.GET("/count/:n", func(c echo.Context) error {
		count(c.Response(), c.Param("n"), pause)
		return nil
	})
	e.StaticFS("/static", files)
	return e
}

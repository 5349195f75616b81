package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
)

func ginHandler(pause func()) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(func(c *gin.Context) { c.Header("X-Framework", "gin") })
	r.GET("/hello/:name", func(c *gin.Context) {
		c.String(http.StatusOK, "Hello, %s!\n", c.Param("name"))
	})
	r.POST("/sum", func(c *gin.Context) {
		var in numbers
		if err := c.ShouldBindBodyWithJSON(&in); err != nil {
			c.String(http.StatusBadRequest, "%v\n", err)
			return
		}
		c.JSON(http.StatusOK, result{in.A + in.B})
	})
	r.GET("/count/:n", func(c *gin.Context) {
		last, err := strconv.Atoi(c.Param("n"))
		if err != nil {
			c.String(http.StatusBadRequest, "not a number\n")
			return
		}
		i := 0
		c.Stream(func(w io.Writer) bool { // flushes after each call
			if i > 0 {
				pause()
			}
			i++
			fmt.Fprintln(w, i)
			return i < last
		})
	})
	r.StaticFS("/static", http.FS(files))
	return r
}
